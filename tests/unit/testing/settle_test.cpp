#include "core/testing/settle.hpp"

#include "core/async/async.hpp"
#include "core/testing/testing.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::testing::advance;
using gather::testing::run;
using gather::testing::run_virtual;
using gather::testing::settle;

namespace {

Co<> step(int times, int& steps) {
  for (; times > 0; --times) {
    co_await yield();
    ++steps;
  }
}

}  // namespace

TEST_CASE("settle lets everything run that is ready, however many passes it takes", "[testing]") {
  int steps = 0;
  const auto body = [&](Loop& loop) -> Co<> {
    const Task<> task = loop.create_task(step(100, steps));
    co_await settle();
    CHECK(task.done());
  };
  run_virtual(body);
  run(body);
  CHECK(steps == 200);
}

TEST_CASE("settle lets timers run that are due, and no time pass", "[testing]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::string log;
    loop.call_later(0ms, [&] { log += "due "; });
    loop.call_later(1ns, [&] { log += "later "; });
    const TimePoint start = loop.now();
    co_await settle();
    CHECK(log == "due ");
    CHECK(loop.now() == start);
    co_await settle();
    CHECK(log == "due ");
    co_await sleep(1ns);
  });
}

TEST_CASE("settle sees to what had come from outside on a real loop", "[testing]") {
  run([](Loop& loop) -> Co<> {
    Event posted;
    std::string log;
    const Task<> waiter = loop.create_task([](Event& event, std::string& into) -> Co<> {
      co_await event.wait();
      into += "woken";
    }(posted, log));
    std::jthread([&] { loop.post([&] { posted.set(); }); }).join();
    co_await settle();
    CHECK(log == "woken");
  });
}

TEST_CASE("several tasks that settle resume together", "[testing]") {
  int settled = 0;
  run_virtual([&](Loop& loop) -> Co<> {
    const auto count = [](int& into) -> Co<> {
      co_await settle();
      ++into;
    };
    const Task<> first = loop.create_task(count(settled));
    const Task<> second = loop.create_task(count(settled));
    co_await settle();
    co_await yield();
    CHECK(settled == 2);
  });
}

TEST_CASE("a task that settles can be cancelled", "[testing]") {
  run_virtual([](Loop& loop) -> Co<> {
    const auto settles = []() -> Co<> { co_await settle(); };
    const Task<> task = loop.create_task(settles());
    co_await yield();
    task.cancel();
    co_await settle();
    CHECK(task.cancelled());
  });
}

TEST_CASE("advance lets time pass, then everything run that fell due", "[testing]") {
  run_virtual([](Loop& loop) -> Co<> {
    const TimePoint start = loop.now();
    int steps = 0;
    const auto late = [](int& into) -> Co<> {
      co_await sleep(10ms);
      co_await step(5, into);
    };
    const Task<> task = loop.create_task(late(steps));
    co_await advance(9ms);
    CHECK(steps == 0);
    co_await advance(1ms);
    CHECK(steps == 5);
    CHECK(loop.now() - start == 10ms);
  });
}

TEST_CASE("settle refuses a loop that is none of the test loops", "[testing]") {
  Loop loop(make_virtual_poller());
  const auto body = []() -> Co<> { co_await settle(); };
  CHECK_THROWS_AS(loop.run(body()), InvalidState);
}
