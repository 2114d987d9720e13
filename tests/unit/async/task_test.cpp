#include "core/async/task/task.hpp"

#include "core/async/loop/running.hpp"
#include "core/async/sync/semaphore.hpp"
#include "core/async/task/context.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

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

TEST_CASE("an eager task runs at once up to its first await that suspends", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    const Task<int> done = loop.create_eager_task(add(1, 2));
    CHECK(done.result() == 3);
    std::string log;
    const Task<> parked = loop.create_eager_task(
        [](std::string& text) -> Co<> {
          text += current_task().name();
          co_await yield();
          text += " went on";
        }(log),
        "eager");
    CHECK(log == "eager");
    CHECK(current_task().name() == "main");
    co_await parked;
    CHECK(log == "eager went on");
    const Task<> failed = create_eager_task([]() -> Co<> {
      throw std::runtime_error("at once");
      co_return;
    }());
    CHECK(failed.exception() != nullptr);
  });
}

TEST_CASE("T2: names default to Task-N from one counter and can be changed", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto first = loop.create_task(sleep_for(0s));
    auto second = loop.create_task(sleep_for(0s), "fetch");
    CHECK(loop.current_task()->name() == "main");
    CHECK(first.name() == "Task-2");
    CHECK(second.name() == "fetch");
    second.set_name("build");
    CHECK(second.name() == "build");
    co_await first;
    co_await second;
  });
}

TEST_CASE("T3: all_tasks lists the unfinished ones; current_task is set during a step alone",
          "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    const auto say_who = [](std::string& names) -> Co<> {
      for (int i = 0; i < 2; ++i) {
        names += current_task().name() + " ";
        co_await yield();
      }
    };
    std::string names;
    const Task<> a = loop.create_task(say_who(names), "a");
    const Task<> b = loop.create_task(say_who(names), "b");
    CHECK(all_tasks() == std::vector<AnyTask>{current_task(), a, b});
    loop.call_soon([&] { names += current_task() ? "a task " : "none "; });
    co_await a;
    co_await b;
    CHECK(names == "a b none a b ");
    CHECK(all_tasks() == std::vector<AnyTask>{current_task()});
  });
  CHECK_FALSE(current_task());
  CHECK_THROWS_AS(get_running_loop(), InvalidState);
}

TEST_CASE("T4: cancel is counted and does not end the task at once; on one that is done it is false",
          "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    const Task<> task = loop.create_task(sleep_for(1h));
    co_await yield();
    CHECK(task.cancel());
    CHECK(task.cancelling() == 1);
    CHECK(task.cancel());
    CHECK(task.cancelling() == 2);
    CHECK_FALSE(task.cancelled());
    co_await yield();
    CHECK(task.cancelled());
    CHECK_FALSE(task.cancel());
    CHECK(task.cancelling() == 2);
  });
}

TEST_CASE("T5: the cancel arrives at the await, in a later pass, never inside cancel()", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::string log;
    const Task<> task = loop.create_task([](std::string& text) -> Co<> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        text += "arrived";
        throw;
      }
    }(log));
    co_await yield();
    task.cancel();
    CHECK(log == "");
    co_await yield();
    CHECK(log == "arrived");
    CHECK(loop.now() == TimePoint());
  });
}

TEST_CASE("T5: requests made before the task has run again are delivered as one", "[async][task]") {
  run_virtual([](Loop&) -> Co<> {
    int delivered = 0;
    const Task<> task = create_task([](int& count) -> Co<> {
      for (int i = 0; i < 3; ++i) try {
          co_await sleep(1ms);
        } catch (const Cancelled&) {
          ++count;
        }
    }(delivered));
    co_await yield();
    task.cancel();
    task.cancel();
    co_await task;
    CHECK(delivered == 1);
    CHECK(task.cancelling() == 2);
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

TEST_CASE("T9: what was awaited has come, the task has not run yet: a cancel still wins", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    const Future<int> future = loop.create_future<int>();
    const Task<int> waiter =
        loop.create_task([](Future<int> awaited) -> Co<int> { co_return co_await awaited; }(future));
    Semaphore permits(0);
    const Task<> taker = loop.create_task([](Semaphore& from) -> Co<> { co_await from.acquire(); }(permits));
    co_await yield();
    future.set_result(1);
    permits.release();
    CHECK(waiter.cancel());
    CHECK(taker.cancel());
    co_await yield();
    CHECK(waiter.cancelled());
    CHECK(taker.cancelled());
    CHECK(permits.available() == 1);  // The permit that it was handed is back.
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
    CHECK(task.cancelling() == 1);
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
  run_virtual([](Loop&) -> Co<> {
    const AnyTask self = current_task();
    self.cancel();
    self.cancel();
    CHECK(self.uncancel() == 1);
    CHECK(self.uncancel() == 0);
    CHECK(self.uncancel() == 0);
    co_await yield();  // Nothing is due any more.
    CHECK(self.cancelling() == 0);
  });
}

TEST_CASE("T13: a coroutine that was moved away or awaited is gone; asking tells", "[async][task]") {
  run_virtual([](Loop& loop) -> Co<> {
    Co<int> body = add(1, 2);
    CHECK(static_cast<bool>(body));
    const Task<int> task = loop.create_task(std::move(body));
    CHECK_FALSE(static_cast<bool>(body));
    CHECK(co_await task == 3);
  });
}

TEST_CASE("T14: a task lives without its handle; one that a closed loop still had is reported and unwound",
          "[async][task]") {
  std::string log;
  {
    Loop loop(make_virtual_poller());
    loop.set_exception_handler([&](const Complaint& complaint) { log += complaint.message + "; "; });
    loop.run_until_complete([](std::string& text) -> Co<> {
      create_task(
          [](std::string& its_text) -> Co<> {
            co_await yield();
            its_text += "ran; ";
            try {
              co_await sleep(1h);
            } catch (const Cancelled&) {
              its_text += "unwound; ";
              throw;
            }
          }(text),
          "forgotten");
      co_await sleep(1ms);
    }(log));
  }
  CHECK(log == "ran; task forgotten was still pending when its loop was closed; unwound; ");
}

TEST_CASE("T15: task-local values are copied at creation, and writes do not leak to the parent",
          "[async][task]") {
  static ContextVar<int> depth("depth", 0);
  static ContextVar<std::string> user("user");
  depth.set(1);
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    CHECK(depth.get() == 1);  // From outside of the loop.
    CHECK_THROWS_AS(user.get(), std::out_of_range);
    CHECK(user.get("nobody") == "nobody");
    const auto token = depth.set(2);
    const auto child = [](std::string& text) -> Co<> {
      text += std::to_string(depth.get());
      depth.set(3);
      co_await yield();
      text += std::to_string(depth.get());
    };
    const Task<> task = loop.create_task(child(log));
    depth.set(9);  // Too late for the child.
    co_await task;
    CHECK(depth.get() == 9);
    depth.reset(token);
    CHECK(depth.get() == 1);

    depth.set(4);
    loop.call_soon([&] {
      log += std::to_string(depth.get());
      depth.set(5);  // Lost with the callback.
    });
    co_await yield();
    CHECK(depth.get() == 4);
    const Context context = copy_context();
    depth.set(6);
    CHECK(context.run([] { return depth.get(); }) == 4);
    CHECK(depth.get() == 6);
  });
  CHECK(log == "234");
  CHECK(depth.get() == 1);
}
