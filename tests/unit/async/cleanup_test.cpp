#include "core/async/combine/cleanup.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/sync/semaphore.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<> sleep_and_note(std::string& log, std::string text) {
  co_await sleep(5ms);
  log += text;
}

// A resource that takes 1 ms to enter and to leave.
class Door {
 public:
  explicit Door(std::string& log) : log_(log) {}

  Co<int> enter() {
    co_await sleep(1ms);
    log_ += "enter ";
    co_return 42;
  }
  Co<> exit(std::exception_ptr error) {
    co_await sleep(1ms);
    log_ += "exit(" + (error ? describe(error) : "") + ") ";
  }

 private:
  std::string& log_;
};

}  // namespace

TEST_CASE("finally runs its cleanup once, awaiting, whether the body returns or throws", "[async][cleanup]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    const auto cleanup = [&] { return sleep_and_note(log, "cleaned "); };
    CHECK(co_await finally([]() -> Co<int> { co_return 1; }, cleanup) == 1);
    CHECK(log == "cleaned ");
    CHECK_THROWS_WITH(co_await finally(
                          []() -> Co<> {
                            co_await sleep(1ms);
                            throw std::runtime_error("body");
                          },
                          cleanup),
                      "body");
    CHECK(log == "cleaned cleaned ");
    CHECK(loop.now() == TimePoint(11ms));
  });
}

TEST_CASE("finally runs its cleanup to its end when the body is cancelled, and keeps the count",
          "[async][cleanup]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task([](std::string& text) -> Co<> {
      co_await finally([]() -> Co<> { co_await sleep(1h); }, [&] { return sleep_and_note(text, "cleaned"); });
    }(log));
    co_await sleep(1ms);
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(task.cancelling() == 1);
    CHECK(loop.now() == TimePoint(6ms));
  });
  CHECK(log == "cleaned");
}

TEST_CASE("a further cancel does reach the cleanup", "[async][cleanup]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task([](std::string& text) -> Co<> {
      co_await finally([]() -> Co<> { co_await sleep(1h); }, [&] { return sleep_and_note(text, "never"); });
    }(log));
    co_await sleep(1ms);
    task.cancel();
    co_await sleep(1ms);
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(loop.now() == TimePoint(2ms));
  });
  CHECK(log == "");
}

TEST_CASE("what a cleanup throws takes the place of what the body threw", "[async][cleanup]") {
  run_virtual([](Loop&) -> Co<> {
    CHECK_THROWS_WITH(co_await finally(
                          []() -> Co<int> {
                            throw std::runtime_error("body");
                            co_return 1;
                          },
                          []() -> Co<> {
                            co_await sleep(1ms);
                            throw std::runtime_error("cleanup");
                          }),
                      "cleanup");
  });
}

TEST_CASE("a timeout around finally waits for the cleanup, one inside limits it", "[async][cleanup]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(co_await timeout(10ms,
                                     [&] {
                                       return finally([]() -> Co<> { co_await sleep(1h); },
                                                      [&] { return sleep_and_note(log, "cleaned "); });
                                     }),
                    TimeoutError);
    CHECK(log == "cleaned ");
    CHECK(loop.now() == TimePoint(15ms));
    CHECK_THROWS_AS(
        co_await finally([]() -> Co<> { co_return; },
                         [&] { return timeout(1ms, [&] { return sleep_and_note(log, "never"); }); }),
        TimeoutError);
    CHECK(log == "cleaned ");
  });
}

TEST_CASE("with enters, runs its body and exits, and tells exit what the body threw", "[async][cleanup]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    Door door(log);
    CHECK(co_await with(door, [](int key) -> Co<int> { co_return key; }) == 42);
    CHECK(log == "enter exit() ");
    log.clear();
    CHECK_THROWS_WITH(co_await with(Door(log),
                                    []() -> Co<> {
                                      co_await sleep(1ms);
                                      throw std::runtime_error("body");
                                    }),
                      "body");
    CHECK(log == "enter exit(body) ");
    log.clear();
    auto task = loop.create_task(with(Door(log), []() -> Co<> { co_await sleep(1h); }));
    co_await sleep(2ms);
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(log == "enter exit(cancelled) ");
  });
}

TEST_CASE("with that is cancelled while it enters neither runs nor exits", "[async][cleanup]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task(with(Door(log), [&]() -> Co<> {
      log += "body";
      co_return;
    }));
    co_await yield();
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
  });
  CHECK(log == "");
}

TEST_CASE("with holds what can be acquired and released", "[async][cleanup]") {
  run_virtual([](Loop& loop) -> Co<> {
    Semaphore semaphore(1);
    CHECK(co_await with(semaphore, [&]() -> Co<int> {
            CHECK(semaphore.locked());
            co_return 1;
          }) == 1);
    CHECK_FALSE(semaphore.locked());
    auto task = loop.create_task(with(semaphore, []() -> Co<> { co_await sleep(1h); }));
    co_await yield();
    CHECK(semaphore.locked());
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK_FALSE(semaphore.locked());
  });
}
