#include "core/async/combine/gather.hpp"
#include "core/async/sync/event.hpp"
#include "core/async/thread/blocking.hpp"
#include "core/async/thread/to_thread.hpp"
#include "tests/unit/async/loopback.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_real;
using gather::test::run_virtual;

namespace {

int twice(int value) { return 2 * value; }

// Tells, at its death, on which thread that was.
class Mark {
 public:
  explicit Mark(std::thread::id& died_on) : died_on_(&died_on) {}
  Mark(Mark&& other) noexcept : died_on_(std::exchange(other.died_on_, nullptr)) {}
  Mark& operator=(Mark&&) = delete;
  ~Mark() {
    if (died_on_ != nullptr) *died_on_ = std::this_thread::get_id();
  }

 private:
  std::thread::id* died_on_;
};

// Holds a pool of one thread until it is opened, or dies.
class Door {
 public:
  explicit Door(Pool& pool) : pool_(pool) {}
  ~Door() { open(); }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  /// Resumes once the pool's thread stands before it.
  Co<> close() {
    Event begun;
    Loop& loop = get_running_loop();
    held_ = run_in_executor(pool_, [&loop, &begun, opened = opened_] {
      loop.post([&begun] { begun.set(); });
      opened->wait();
    });
    co_await begun.wait();
  }
  void open() {
    if (!std::exchange(is_open_, true)) opened_->count_down();
  }

 private:
  Pool& pool_;
  Future<> held_;
  std::shared_ptr<std::latch> opened_ = std::make_shared<std::latch>(1);
  bool is_open_ = false;
};

}  // namespace

TEST_CASE("X1: to_thread gives what the function returns, called on another thread", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    CHECK(co_await to_thread(twice, 21) == 42);
    CHECK(co_await to_thread([] { return std::this_thread::get_id(); }) != std::this_thread::get_id());
    int written = 0;
    co_await to_thread([](int& place, int value) { place = value; }, std::ref(written), 7);
    CHECK(written == 7);
  });
}

TEST_CASE("X1: an exception crosses over", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    CHECK_THROWS_WITH(co_await to_thread([] { throw std::runtime_error("no luck"); }), "no luck");
    CHECK(co_await to_thread([] { return 1; }) == 1);
  });
}

TEST_CASE("X1: function, arguments and result are moved, never copied or shared", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    auto function = [owned = std::make_unique<int>(1)](std::unique_ptr<int> argument) {
      *argument += *owned;
      return argument;
    };
    const std::unique_ptr<int> result = co_await to_thread(std::move(function), std::make_unique<int>(2));
    CHECK(*result == 3);
  });
}

TEST_CASE("X1: what the function holds dies on its thread, before the caller goes on", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    std::thread::id died_on;
    const auto ran_on =
        co_await to_thread([](const Mark&) { return std::this_thread::get_id(); }, Mark(died_on));
    CHECK(died_on == ran_on);
  });
}

TEST_CASE("X1: to_thread carries the caller's task-local values", "[async][thread]") {
  static ContextVar<std::string> request("request", "none");
  run_real([](Loop&) -> Co<> {
    request.set("r7");
    CHECK(co_await to_thread([] { return request.get(); }) == "r7");
    Pool pool(1);
    CHECK(co_await run_in_executor(pool, [] { return request.get(); }) == "none");
  });
}

TEST_CASE("X1: calls run side by side, and idle threads are used again", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    Pool pool(3);
    for (int round = 0; round < 3; ++round) {
      const auto all_here = std::make_shared<std::latch>(3);
      std::vector<Future<>> meetings;
      for (int i = 0; i < 3; ++i)
        meetings.push_back(run_in_executor(pool, [all_here] { all_here->arrive_and_wait(); }));
      for (const Future<>& each : meetings) co_await each;
    }
    CHECK(pool.threads() == 3);
    Pool one;
    for (int i = 0; i < 20; ++i) co_await run_in_executor(one, twice, i);
    CHECK(one.threads() <= 2);  // A thread that has just answered may not be back in time.
  });
}

TEST_CASE("X1: a pool with no idle thread queues, and starts jobs in order", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    Pool pool(1);
    std::string order;
    std::vector<Future<>> jobs;
    {
      Door door(pool);
      co_await door.close();
      for (const char name : {'a', 'b', 'c'})
        jobs.push_back(run_in_executor(pool, [&order, name] { order += name; }));
      CHECK(pool.threads() == 1);
    }
    for (const Future<>& job : jobs) co_await job;
    CHECK(order == "abc");
  });
}

TEST_CASE("X1: cancelling the await abandons the result at once; the thread runs on", "[async][thread]") {
  run_real([](Loop& loop) -> Co<> {
    Event begun;
    const auto let_go = std::make_shared<std::latch>(1);
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    const auto call = [&loop, &begun, let_go, ended]() -> Co<> {
      co_await to_thread([&loop, &begun, let_go, ended] {
        loop.post([&begun] { begun.set(); });
        let_go->wait();
        *ended = true;
      });
    };
    const Task<> task = loop.create_task(call());
    co_await begun.wait();
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(!*ended);
    let_go->count_down();
    co_await shutdown_default_executor();
    CHECK(*ended);
  });
}

TEST_CASE("X1: an abandoned result is destroyed, and its error told nobody", "[async][thread]") {
  const auto alive = std::make_shared<int>(0);
  std::vector<std::string> complaints;
  {
    Loop loop;
    loop.set_exception_handler([&](const Complaint& complaint) { complaints.push_back(complaint.message); });
    loop.run([](std::shared_ptr<int> shared) -> Co<> {
      Pool pool(1);
      for (const bool fails : {false, true}) {
        Event begun;
        const auto let_go = std::make_shared<std::latch>(1);
        Loop& its_loop = get_running_loop();
        const auto future = run_in_executor(pool, [&its_loop, &begun, fails, let_go, shared] {
          its_loop.post([&begun] { begun.set(); });
          let_go->wait();
          if (fails) throw std::runtime_error("nobody hears it");
          return shared;
        });
        co_await begun.wait();
        CHECK(future.cancel());
        let_go->count_down();
        CHECK_THROWS_AS(co_await future, Cancelled);
      }
    }(alive));
  }
  CHECK(alive.use_count() == 1);
  CHECK(complaints.empty());
}

TEST_CASE("X1: a call that is cancelled in the queue never runs", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    Pool pool(1);
    bool ran = false;
    std::thread::id died_on;
    {
      Door door(pool);
      co_await door.close();
      Mark mark(died_on);
      auto function = [&ran, owned = std::move(mark)] { ran = true; };
      const Future<> queued = run_in_executor(pool, std::move(function));
      queued.cancel();
      co_await yield();
      CHECK(died_on == std::this_thread::get_id());  // Its memory has not waited for the pool either.
    }
    co_await run_in_executor(pool, [] {});
    CHECK(!ran);
  });
}

TEST_CASE("X1: a function that takes a stop token is asked to stop on a cancel", "[async][thread]") {
  run_real([](Loop& loop) -> Co<> {
    Event begun;
    const auto function = [&loop, &begun](std::stop_token stop, int start) {
      loop.post([&begun] { begun.set(); });
      while (!stop.stop_requested()) std::this_thread::yield();
      return start;
    };
    const auto call = [&function]() -> Co<> { co_await to_thread(function, 5); };
    const Task<> task = loop.create_task(call());
    co_await begun.wait();
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    co_await shutdown_default_executor();  // Would not return otherwise.
  });
}

TEST_CASE("X1: no stop is asked for while somebody waits", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    CHECK(co_await to_thread(
        [](std::stop_token stop) { return stop.stop_possible() && !stop.stop_requested(); }));
  });
}

TEST_CASE("X1: calls can be gathered, and raced against a timeout", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    std::vector<Co<int>> calls;
    for (int i = 0; i < 5; ++i) calls.push_back(to_thread(twice, i));
    CHECK(co_await gather::async::gather(std::move(calls)) == std::vector{0, 2, 4, 6, 8});
    const auto too_long = []() -> Co<> {
      co_await to_thread([](std::stop_token stop) {
        while (!stop.stop_requested()) std::this_thread::yield();
      });
    };
    CHECK_THROWS_AS(co_await timeout(1ms, too_long), TimeoutError);
  });
}

TEST_CASE("X1: blocking calls are waited for also when the caller is cancelled", "[async][thread]") {
  run_real([](Loop& loop) -> Co<> {
    Event begun;
    std::latch let_go(1);
    bool ended = false;
    const auto call = [&]() -> Co<> {
      co_await blocking([&] {
        loop.post([&] { begun.set(); });
        let_go.wait();
        ended = true;
      });
    };
    const Task<> task = loop.create_task(call());
    co_await begun.wait();
    task.cancel();
    for (int i = 0; i < 3; ++i) co_await yield();
    CHECK(!task.done());
    let_go.count_down();
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(ended);
    CHECK(co_await blocking([] { return 3; }) == 3);
    CHECK_THROWS_WITH(co_await blocking([] { throw std::runtime_error("no luck"); }), "no luck");
  });
}

TEST_CASE("X1: a blocking call that no thread has begun is cancelled at once", "[async][thread]") {
  run_real([](Loop& loop) -> Co<> {
    std::vector<Future<>> holders;
    const auto let_go = std::make_shared<std::latch>(1);
    for (std::size_t i = 0; i < Pool::default_size(); ++i)
      holders.push_back(run_in_executor(default_pool(), [let_go] { let_go->wait(); }));
    bool ran = false;
    const auto call = [&ran]() -> Co<> { co_await blocking([&ran] { ran = true; }); };
    const Task<> task = loop.create_task(call());
    co_await yield();
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    let_go->count_down();
    for (const Future<>& each : holders) co_await each;
    CHECK(!ran);
  });
}

TEST_CASE("X1: after shutdown_default_executor there are no more threads to be had", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    const auto done = std::make_shared<std::atomic<int>>(0);
    std::vector<Future<>> jobs;
    for (int i = 0; i < 20; ++i) jobs.push_back(run_in_executor(default_pool(), [done] { ++*done; }));
    co_await shutdown_default_executor();
    CHECK(*done == 20);
    CHECK_THROWS_AS(co_await to_thread(twice, 1), InvalidState);
    CHECK_THROWS_AS(co_await blocking([] {}), InvalidState);
    co_await shutdown_default_executor();  // Once more does nothing.
    for (const Future<>& job : jobs) co_await job;
  });
}

TEST_CASE("X1: shutdown_default_executor gives up waiting after its timeout, and says so",
          "[async][thread]") {
  const auto let_go = std::make_shared<std::latch>(1);
  std::vector<std::string> complaints;
  Loop loop;
  loop.set_exception_handler([&](const Complaint& complaint) { complaints.push_back(complaint.message); });
  loop.run([](std::shared_ptr<std::latch> opened) -> Co<> {
    const auto held = run_in_executor(default_pool(), [opened] { opened->wait(); });
    co_await shutdown_default_executor(1ms);
  }(let_go));
  let_go->count_down();
  CHECK(complaints ==
        std::vector<std::string>{"jobs of the thread pool still run, 0.001 s after its shutdown began"});
}

TEST_CASE("X1: a loop that closes waits for its pool, asks for a stop, and drops what is queued",
          "[async][thread]") {
  std::atomic<bool> ended = false;
  std::atomic<int> begun = 0;
  int size = 0;
  {
    Loop loop;
    loop.run([](std::atomic<bool>& done, std::atomic<int>& count, int& most) -> Co<> {
      most = static_cast<int>(Pool::default_size());
      for (int i = 0; i < 2 * most; ++i)
        run_in_executor(default_pool(), [&done, &count](std::stop_token stop) {
          ++count;
          while (!stop.stop_requested()) std::this_thread::yield();
          done = true;
        });
      while (count < most) co_await yield();
    }(ended, begun, size));
    CHECK(!ended);
  }
  CHECK(ended);
  CHECK(begun == size);
}

TEST_CASE("X1: a call in a pool of one's own may end after the loop", "[async][thread]") {
  std::latch let_go(1);
  const auto result = std::make_shared<int>(0);
  Pool pool(1);
  {
    Loop loop;
    loop.run([](Pool& its_pool, std::latch& opened, std::shared_ptr<int> shared) -> Co<> {
      std::atomic<bool> begun = false;
      run_in_executor(its_pool, [&begun, &opened, shared] {
        begun = true;
        opened.wait();
        return shared;
      });
      run_in_executor(its_pool, [shared] {});
      while (!begun) co_await yield();
    }(pool, let_go, result));
  }
  CHECK(result.use_count() == 2);  // The call that runs; the queued one is gone.
  let_go.count_down();
  pool.shutdown();
  CHECK(result.use_count() == 1);
}

TEST_CASE("X1: results that arrive while the loop closes are destroyed with it", "[async][thread]") {
  const auto result = std::make_shared<int>(0);
  Pool pool(4);
  for (int round = 0; round < 50; ++round) {
    Loop loop;
    loop.run([](Pool& its_pool, std::shared_ptr<int> shared) -> Co<> {
      for (int i = 0; i < 8; ++i) run_in_executor(its_pool, [shared] { return shared; });
      for (int i = 0; i < 8; ++i) run_in_executor(default_pool(), [shared] { return shared; });
      co_await run_in_executor(its_pool, [] {});
    }(pool, result));
  }
  pool.shutdown();
  CHECK(result.use_count() == 1);
}

TEST_CASE("X1: a pool that was shut down has run what was queued, and takes no more", "[async][thread]") {
  run_real([](Loop&) -> Co<> {
    Pool pool(1);
    std::atomic<int> ran = 0;
    std::vector<Future<>> jobs;
    for (int i = 0; i < 5; ++i) jobs.push_back(run_in_executor(pool, [&ran] { ++ran; }));
    pool.shutdown();
    CHECK(ran == 5);
    CHECK_THROWS_AS(run_in_executor(pool, [] {}), InvalidState);
    for (const Future<>& job : jobs) co_await job;
  });
}

TEST_CASE("X1: threads need a running loop, and not a virtual one", "[async][thread]") {
  CHECK_THROWS_AS(default_pool(), InvalidState);
  run_virtual([](Loop&) -> Co<> {
    CHECK_THROWS_AS(co_await to_thread(twice, 1), InvalidState);
    co_return;
  });
}
