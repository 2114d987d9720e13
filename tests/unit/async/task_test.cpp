#include "core/async/task/task.hpp"

#include "core/async/task/future.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<> sleep_for(gather::Duration length) { co_await sleep(length); }

Co<int> add(int a, int b) { co_return a + b; }

Co<int> depth(int n) {
  if (n == 0) co_return 0;
  co_return 1 + co_await depth(n - 1);
}

struct Noisy {
  std::string* log;
  explicit Noisy(std::string* its_log) : log(its_log) {}
  Noisy(Noisy&& other) noexcept : log(std::exchange(other.log, nullptr)) {}
  ~Noisy() {
    if (log != nullptr) *log += "destroyed ";
  }
};

Co<> hold(Noisy noisy) {
  *noisy.log += "ran ";
  co_return;
}

}  // namespace

TEST_CASE("a coroutine gives its value to whoever awaits it", "[async][task]") {
  CHECK(run_virtual([](Loop&) -> Co<int> { co_return co_await add(1, 2) + co_await add(3, 4); }) == 10);
}

TEST_CASE("a chain of a hundred thousand awaits uses no stack to run", "[async][task]") {
  CHECK(run_virtual([](Loop&) -> Co<int> { co_return co_await depth(20'000); }) == 20'000);
  CHECK(run_virtual([](Loop&) -> Co<int> {
          int sum = 0;
          for (int i = 0; i < 100'000; ++i) sum += co_await add(1, 0);
          co_return sum;
        }) == 100'000);
}

TEST_CASE("T1: creating a task does not run its body before the next pass", "[async][task]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task(hold(Noisy(&log)));
    CHECK(log == "");
    co_await task;
  });
  CHECK(log == "ran destroyed ");
}

TEST_CASE("T2: names default to Task-N from one counter and can be changed", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto first = loop.create_task(sleep_for(0s));
    auto second = loop.create_task(sleep_for(0s), "fetch");
    CHECK(loop.current_task()->name() == "main");
    CHECK(first.name() == "Task-2");
    CHECK(second.name() == "fetch");
    second.cell().rename("build");
    CHECK(second.name() == "build");
    co_await first;
    co_await second;
  });
}

TEST_CASE("T3: all_tasks lists the unfinished ones", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task(sleep_for(1ms));
    CHECK(loop.all_tasks().size() == 2);
    co_await task;
    CHECK(loop.all_tasks().size() == 1);
  });
}

TEST_CASE("T4, T5: cancel is counted, and arrives at the await in a later pass", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task(sleep_for(1h));
    co_await yield();
    CHECK(task.cancel());
    CHECK(task.cell().cancelling() == 1);
    CHECK_FALSE(task.cancelled());
    co_await yield();
    CHECK(task.cancelled());
    CHECK_FALSE(task.cancel());
    CHECK(loop.now() == TimePoint());
  });
}

TEST_CASE("T6: cancelled before its first step, a body never starts and its arguments are destroyed",
          "[async][task]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task(hold(Noisy(&log)));
    task.cancel();
    co_await yield();
    CHECK(task.cancelled());
  });
  CHECK(log == "destroyed ");
}

TEST_CASE("T7: a task that cancels itself sees it at its next await that suspends", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::string log;
    auto task = loop.create_task([](Loop& l, std::string& text) -> Co<> {
      l.current_task()->cancel();
      text += co_await add(1, 1) == 2 ? "ready " : "";
      co_await sleep(0s);
      text += "never";
    }(loop, log));
    co_await yield();
    co_await yield();
    CHECK(log == "ready ");
    CHECK(task.cancelled());
  });
}

TEST_CASE("T8: cancelled during its last step, a task ends cancelled and its result is discarded",
          "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task([](Loop& l) -> Co<int> {
      l.current_task()->cancel();
      co_return 1;
    }(loop));
    co_await yield();
    CHECK(task.cancelled());
  });
}

TEST_CASE("T10: a task may catch the cancel and go on; the count stays until uncancel", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task([]() -> Co<int> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
      }
      co_await sleep(1ms);
      co_return 7;
    }());
    co_await yield();
    task.cancel();
    CHECK(co_await task == 7);
    CHECK(task.cell().cancelling() == 1);
  });
}

TEST_CASE("T11: cancelling a task that awaits another cancels the inner one", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto inner = loop.create_task(sleep_for(1h));
    auto outer = loop.create_task([](Task<> waited) -> Co<> { co_await waited; }(inner));
    co_await yield();
    outer.cancel();
    co_await yield();
    co_await yield();
    co_await yield();
    CHECK(inner.cancelled());
    CHECK(outer.cancelled());
  });
}

TEST_CASE("T12: uncancel floors at 0 and withdraws a request not yet delivered", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    TaskCell& self = *loop.current_task();
    self.cancel();
    CHECK(self.uncancel() == 0);
    CHECK(self.uncancel() == 0);
    co_await sleep(0s);
  });
}

TEST_CASE("F1: a future is set once, and gives no result before", "[async][future]") {
  Future<int> future;
  CHECK_THROWS_AS(future.result(), InvalidState);
  future.set_result(5);
  CHECK(future.result() == 5);
  CHECK_THROWS_AS(future.set_result(6), InvalidState);
  CHECK_FALSE(future.cancel());
}

TEST_CASE("F2: done-callbacks are queued in order, also those added after the end", "[async][task]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task(sleep_for(0s));
    task.cell().add_done_callback([&] { log += "a"; });
    task.cell().add_done_callback([&] { log += "b"; });
    co_await task;
    CHECK(log == "");
    task.cell().add_done_callback([&] { log += "c"; });
    co_await yield();
    co_await yield();
  });
  CHECK(log == "abc");
}

TEST_CASE("F3: an error that nobody asked for is reported once", "[async][task]") {
  std::vector<std::string> heard;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
    const auto fail = []() -> Co<> {
      throw std::runtime_error("lost");
      co_return;
    };
    loop.create_task(fail(), "forgotten");
    auto seen = loop.create_task(fail(), "seen");
    co_await yield();
    CHECK_FALSE(seen.settled().has_value());
  });
  CHECK(heard == std::vector<std::string>{"task forgotten failed, and nobody asked for its result"});
}

TEST_CASE("R2: run cancels what main left behind and waits for it", "[async][loop]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.create_task([](std::string& text) -> Co<> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        text += "cancelled ";
      }
      co_await sleep(1ms);
      text += "cleaned up";
    }(log));
    co_await yield();
  });
  CHECK(log == "cancelled cleaned up");
}
