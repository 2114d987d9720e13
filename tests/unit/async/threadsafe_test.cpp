#include "core/async/thread/threadsafe.hpp"

#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/async/thread/to_thread.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_real;

namespace {

Co<int> add(int a, int b) {
  co_await yield();
  co_return a + b;
}

Co<int> fail() {
  co_await yield();
  throw std::runtime_error("no luck");
}

Co<> wait_long(std::atomic<int>& stage) {
  stage = 1;
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    stage = 2;
    throw;
  }
}

// A loop that runs for ever on a thread of its own; ended, and its tasks cancelled, by end() or its death.
class LoopThread {
 public:
  LoopThread() {
    std::latch ready(1);
    thread_ = std::thread([this, &ready] {
      Loop its_loop;
      loop_ = &its_loop;
      ready.count_down();
      its_loop.run_forever();
      its_loop.cancel_all_tasks();
    });
    ready.wait();
  }
  ~LoopThread() { end(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  Loop& loop() { return *loop_; }
  void end() {
    if (!thread_.joinable()) return;
    loop_->post([this] { loop_->stop(); });
    thread_.join();
  }

 private:
  Loop* loop_ = nullptr;
  std::thread thread_;
};

}  // namespace

TEST_CASE("X2: run_coroutine_threadsafe gives the value to the thread", "[async][thread]") {
  LoopThread other;
  const auto future = run_coroutine_threadsafe(add(1, 2), other.loop());
  CHECK(future.result() == 3);
  CHECK(future.done());
  CHECK(future.exception() == nullptr);
  CHECK(run_coroutine_threadsafe(add(3, 4), other.loop()).result(10s) == 7);
}

TEST_CASE("X2: an error crosses over", "[async][thread]") {
  LoopThread other;
  const auto future = run_coroutine_threadsafe(fail(), other.loop());
  CHECK_THROWS_WITH(future.result(), "no luck");
  CHECK(describe(future.exception()) == "no luck");
  CHECK(!future.cancelled());
}

TEST_CASE("X2: a result that times out leaves the coroutine running; cancel then ends it",
          "[async][thread]") {
  LoopThread other;
  std::atomic<int> stage = 0;
  const auto future = run_coroutine_threadsafe(wait_long(stage), other.loop());
  while (stage == 0) std::this_thread::yield();
  CHECK_THROWS_AS(future.result(1ms), TimeoutError);
  CHECK(!future.done());
  CHECK(future.cancel());
  CHECK(future.cancelled());
  CHECK_THROWS_AS(future.result(), Cancelled);
  CHECK_THROWS_AS(future.exception(), Cancelled);
  CHECK(future.cancel());  // As in Python: it is cancelled.
  other.end();
  CHECK(stage == 2);
}

TEST_CASE("X2: a task that is cancelled on the loop cancels the future", "[async][thread]") {
  LoopThread other;
  const auto cancel_itself = []() -> Co<int> {
    current_task().cancel();
    co_await yield();
    co_return 1;
  };
  const auto future = run_coroutine_threadsafe(cancel_itself(), other.loop());
  CHECK_THROWS_AS(future.result(), Cancelled);
  CHECK(future.cancelled());
}

TEST_CASE("X2: cancelled before the loop saw it, the coroutine never starts", "[async][thread]") {
  LoopThread other;
  std::latch let_go(1);
  other.loop().post([&] { let_go.wait(); });
  std::atomic<int> stage = 0;
  const auto argument = std::make_shared<int>(0);
  const auto body = [](std::shared_ptr<int>, std::atomic<int>& begun) -> Co<> { co_await wait_long(begun); };
  const auto future = run_coroutine_threadsafe(body(argument, stage), other.loop());
  CHECK(future.cancel());
  let_go.count_down();
  other.end();
  CHECK(stage == 0);
  CHECK(argument.use_count() == 1);
}

TEST_CASE("X2: a cancel after the end says no", "[async][thread]") {
  LoopThread other;
  const auto future = run_coroutine_threadsafe(add(1, 2), other.loop());
  CHECK(future.result() == 3);
  CHECK(!future.cancel());
  CHECK(!future.cancelled());
}

TEST_CASE("X2: a coroutine that swallows the cancel has its value dropped, its error reported",
          "[async][thread]") {
  std::vector<std::string> complaints;
  {
    LoopThread other;
    other.loop().post([&] {
      other.loop().set_exception_handler([&](const Complaint& complaint) {
        complaints.push_back(complaint.message + ": " + describe(complaint.error));
      });
    });
    const auto swallow = [](std::latch& begun, bool fails) -> Co<int> {
      begun.count_down();
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
      }
      if (fails) throw std::runtime_error("cleanup failed");
      co_return 1;
    };
    for (const bool fails : {false, true}) {
      std::latch begun(1);
      const auto future = run_coroutine_threadsafe(swallow(begun, fails), other.loop());
      begun.wait();
      CHECK(future.cancel());
      CHECK_THROWS_AS(future.result(), Cancelled);
    }
  }
  REQUIRE(complaints.size() == 1);
  CHECK(complaints.front().ends_with("failed, and nobody asked for its result: cleanup failed"));
}

TEST_CASE("X2: done-callbacks run once it has ended, with the future, also when added late",
          "[async][thread]") {
  LoopThread other;
  std::promise<int> heard;
  const auto future = run_coroutine_threadsafe(add(1, 2), other.loop());
  future.add_done_callback([&](const ConcurrentFuture<int>& ended) { heard.set_value(ended.result()); });
  CHECK(heard.get_future().get() == 3);
  bool late = false;
  future.add_done_callback([&] { late = true; });
  CHECK(late);
}

TEST_CASE("X2: values that can only be moved, and none at all", "[async][thread]") {
  LoopThread other;
  const auto give = [](std::unique_ptr<int> value) -> Co<std::unique_ptr<int>> {
    co_await yield();
    co_return value;
  };
  CHECK(*run_coroutine_threadsafe(give(std::make_unique<int>(5)), other.loop()).result() == 5);
  run_coroutine_threadsafe([]() -> Co<> { co_await yield(); }(), other.loop()).result();
}

TEST_CASE("X2: the coroutine has the caller's task-local values", "[async][thread]") {
  static ContextVar<int> level("level", 0);
  LoopThread other;
  level.set(3);
  CHECK(run_coroutine_threadsafe([]() -> Co<int> { co_return level.get(); }(), other.loop()).result() == 3);
  level.set(0);
}

TEST_CASE("X2: a loop that closes before the coroutine ran gives an error, and nobody hangs",
          "[async][thread]") {
  std::optional<Loop> loop(std::in_place);
  const auto argument = std::make_shared<int>(0);
  const auto body = [](std::shared_ptr<int>) -> Co<int> { co_return 1; };
  const auto posted = run_coroutine_threadsafe(body(argument), *loop);
  std::thread waits([&] { CHECK_THROWS_AS(posted.result(), InvalidState); });
  loop.reset();
  waits.join();
  CHECK_THROWS_WITH(posted.result(), "the loop was closed before the coroutine ended");
  CHECK(argument.use_count() == 1);
}

TEST_CASE("X2: a task that the loop has not started when it closes gives an error too", "[async][thread]") {
  std::optional<Loop> loop(std::in_place);
  const auto future = run_coroutine_threadsafe(add(1, 2), *loop);
  loop->stop();
  loop->run_forever();  // One pass: it makes the task.
  loop.reset();
  CHECK_THROWS_AS(future.result(), InvalidState);
}

TEST_CASE("X2: tasks that are cancelled as their loop ends cancel the future", "[async][thread]") {
  std::optional<LoopThread> other(std::in_place);
  std::atomic<int> stage = 0;
  const auto future = run_coroutine_threadsafe(wait_long(stage), other->loop());
  while (stage == 0) std::this_thread::yield();
  other.reset();
  CHECK_THROWS_AS(future.result(), Cancelled);
  CHECK(stage == 2);
}

TEST_CASE("X2: cancels from a thread may race with the end of the loop", "[async][thread]") {
  for (int round = 0; round < 200; ++round) {
    std::optional<Loop> loop(std::in_place);
    const auto future = run_coroutine_threadsafe(add(1, 2), *loop);
    std::latch start(2);
    std::thread cancels([&] {
      start.arrive_and_wait();
      future.cancel();
    });
    start.arrive_and_wait();
    loop.reset();
    cancels.join();
    CHECK(future.done());
  }
}

TEST_CASE("X2: the loop's own thread is told instead of waiting for itself", "[async][thread]") {
  run_real([](Loop& loop) -> Co<> {
    const auto future = run_coroutine_threadsafe(add(1, 2), loop);
    CHECK_THROWS_AS(future.result(), InvalidState);
    while (!future.done()) co_await yield();
    CHECK(future.result() == 3);
  });
}

TEST_CASE("X2: a thread of the pool calls back into its loop", "[async][thread]") {
  run_real([](Loop& loop) -> Co<> {
    const int sum = co_await to_thread([&loop] {
      int total = 0;
      for (int i = 0; i < 100; ++i) total += run_coroutine_threadsafe(add(i, 1), loop).result();
      return total;
    });
    CHECK(sum == 5050);
  });
}
