#include "core/async/combine/wait.hpp"

#include "core/async/combine/as_completed.hpp"
#include "core/async/combine/gather.hpp"
#include "core/async/combine/shield.hpp"
#include "core/async/combine/wait_for.hpp"
#include "core/async/sync/event.hpp"
#include "tests/unit/async/clean_up.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<int> value_after(gather::Duration length, int value) {
  co_await sleep(length);
  co_return value;
}

Co<int> fail_after(gather::Duration length, std::string text = "failed") {
  co_await sleep(length);
  throw std::runtime_error(text);
}

Co<int> clean_up_for(gather::Duration cleanup) {
  co_await gather::test::clean_up_for(cleanup);
  co_return 1;
}

// Sleeps an hour; gives `value` once it is cancelled.
Co<int> value_when_cancelled(int value) {
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
  }
  co_return value;
}

Co<int> fail_when_cancelled() {
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    throw std::domain_error("from cleanup");
  }
  co_return 0;
}

template <class... Bodies>
std::vector<Task<int>> tasks_of(Bodies... bodies) {
  std::vector<Task<int>> tasks;
  (tasks.push_back(create_task(std::move(bodies))), ...);
  return tasks;
}

}  // namespace

TEST_CASE("W1: wait gives what is done and what is not, and throws for neither a timeout nor an error",
          "[async][wait]") {
  SECTION("nothing to wait for is an error") {
    run_virtual([](Loop&) -> Co<> {
      CHECK_THROWS_AS(co_await wait(std::vector<Task<int>>{}), std::invalid_argument);
    });
  }
  SECTION("all are done in time") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(2ms, 1), value_after(1ms, 2));
      auto [done, pending] = co_await wait(tasks, {.timeout = 1s});
      CHECK(done == tasks);
      CHECK(pending.empty());
      CHECK(loop.now() == TimePoint(2ms));
      CHECK(loop.timers() == 0);
      CHECK((co_await wait(tasks)).done == tasks);  // Done already.
    });
  }
  SECTION("the time is up, and nobody is cancelled") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(1ms, 1), value_after(30ms, 2));
      auto [done, pending] = co_await wait(tasks, {.timeout = 10ms});
      CHECK(done == std::vector{tasks[0]});
      CHECK(pending == std::vector{tasks[1]});
      CHECK(loop.now() == TimePoint(10ms));
      CHECK(co_await pending[0] == 2);
    });
  }
  SECTION("errors are in done") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(5ms, 1), fail_after(1ms));
      auto [done, pending] = co_await wait(tasks);
      CHECK(done == tasks);
      CHECK(loop.now() == TimePoint(5ms));
      CHECK(describe(done[1].exception()) == "failed");
    });
  }
  SECTION("cancelling the waiter cancels nobody else, and leaves nothing behind") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(2ms, 1), value_after(3ms, 2));
      auto waiter = loop.create_task(wait(tasks, {.timeout = 1h}));
      co_await sleep(1ms);
      waiter.cancel();
      CHECK_THROWS_AS(co_await waiter, Cancelled);
      CHECK(co_await tasks[0] + co_await tasks[1] == 3);
      CHECK(loop.timers() == 0);
    });
  }
  SECTION("what is listed twice is there once; different types, coroutines") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task(value_after(1ms, 1));
      const auto future = create_future<std::string>();
      std::vector<AnyFuture> mixed{task, future, task};
      auto [done, pending] = co_await wait(mixed, {.timeout = 2ms});
      CHECK(done == std::vector<AnyFuture>{task});
      CHECK(pending == std::vector<AnyFuture>{future});
      std::vector<Co<int>> bodies;
      bodies.push_back(value_after(1ms, 5));
      CHECK((co_await wait(std::move(bodies))).done[0].result() == 5);
    });
  }
}

TEST_CASE("W2: wait returns at the first completion, the first error, or when all are done",
          "[async][wait]") {
  SECTION("FIRST_COMPLETED") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(10ms, 1), value_after(1ms, 2));
      auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
      CHECK(done == std::vector{tasks[1]});
      CHECK(pending == std::vector{tasks[0]});
      CHECK(loop.now() == TimePoint(1ms));
      CHECK(co_await tasks[0] == 1);
    });
  }
  SECTION("FIRST_EXCEPTION") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(1ms, 1), value_after(10ms, 2), fail_after(5ms));
      auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
      CHECK(done == std::vector{tasks[0], tasks[2]});
      CHECK(pending == std::vector{tasks[1]});
      CHECK(loop.now() == TimePoint(5ms));
      CHECK_THROWS(done[1].result());
      const auto now = loop.now();
      CHECK((co_await wait(tasks, {.return_when = FIRST_EXCEPTION})).pending.size() == 1);
      CHECK(loop.now() == now);
      CHECK(co_await tasks[1] == 2);
    });
  }
  SECTION("for FIRST_EXCEPTION a cancelled one is no error") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(1h, 1), value_after(10ms, 2));
      loop.call_later(1ms, [&] { tasks[0].cancel(); });
      auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_EXCEPTION});
      CHECK(done == tasks);
      CHECK(loop.now() == TimePoint(10ms));
    });
  }
  SECTION("what completes at the same time is all in done") {
    run_virtual([](Loop&) -> Co<> {
      const auto first = create_future<int>();
      const auto second = create_future<int>();
      const auto third = create_future<int>();
      auto waiter = create_task(wait(std::vector{first, second, third}, {.return_when = FIRST_COMPLETED}));
      co_await yield();
      third.set_result(3);
      first.set_result(1);
      auto [done, pending] = co_await waiter;
      CHECK(done == std::vector{first, third});
      CHECK(pending == std::vector{second});
    });
  }
}

TEST_CASE("W3: as_completed gives tasks in the order in which they end; after its timeout each step throws",
          "[async][wait]") {
  SECTION("in order") {
    run_virtual([](Loop& loop) -> Co<> {
      std::vector<Co<int>> bodies;
      for (const int milliseconds : {30, 10, 20})
        bodies.push_back(value_after(std::chrono::milliseconds(milliseconds), milliseconds));
      auto finished = as_completed(std::move(bodies), 1s);
      std::string log;
      while (auto task = co_await finished.next()) {
        log += std::to_string(task->result()) + " ";
        CHECK(loop.now() == TimePoint(std::chrono::milliseconds(task->result())));
      }
      CHECK(log == "10 20 30 ");
      CHECK_FALSE(co_await finished.next());
      CHECK(loop.timers() == 0);
    });
  }
  SECTION("errors and what was done before are given like all others, and each once") {
    run_virtual([](Loop&) -> Co<> {
      auto tasks = tasks_of(value_after(5ms, 1), fail_after(1ms), value_after(0ms, 3));
      co_await tasks[2];
      tasks.push_back(tasks[0]);
      auto finished = as_completed(tasks);
      CHECK(*co_await finished.next() == tasks[2]);
      CHECK_THROWS_WITH((co_await finished.next())->result(), "failed");
      CHECK(*co_await finished.next() == tasks[0]);
      CHECK_FALSE(co_await finished.next());
    });
  }
  SECTION("of nothing") {
    run_virtual([](Loop&) -> Co<> {
      auto none = as_completed(std::vector<AnyFuture>{}, 1s);
      CHECK_FALSE(co_await none.next());
    });
  }
  SECTION("after the timeout") {
    run_virtual([](Loop& loop) -> Co<> {
      const auto tasks = tasks_of(value_after(1ms, 1), value_after(20ms, 2), value_after(30ms, 3));
      auto finished = as_completed(tasks, 10ms);
      CHECK(*co_await finished.next() == tasks[0]);
      CHECK_THROWS_AS(co_await finished.next(), TimeoutError);
      CHECK(loop.now() == TimePoint(10ms));
      co_await sleep(50ms);
      CHECK_THROWS_AS(co_await finished.next(), TimeoutError);
      CHECK_FALSE(co_await finished.next());
      CHECK(tasks[2].result() == 3);
    });
  }
  SECTION("what ended before the timeout is given after it too") {
    run_virtual([](Loop&) -> Co<> {
      const auto tasks = tasks_of(value_after(1ms, 1), value_after(20ms, 2));
      auto finished = as_completed(tasks, 10ms);
      co_await sleep(50ms);
      CHECK(*co_await finished.next() == tasks[0]);
      CHECK_THROWS_AS(co_await finished.next(), TimeoutError);
      CHECK_FALSE(co_await finished.next());
    });
  }
  SECTION("cancelling one who waits for the next loses none, and dropping the rest is fine") {
    run_virtual([](Loop&) -> Co<> {
      const auto tasks = tasks_of(value_after(5ms, 1), value_after(10ms, 2), value_after(20ms, 3));
      Task<> waiter;
      auto canceller = create_task([](Task<int> first, Task<>& victim) -> Co<> {
        co_await first;
        victim.cancel();  // In the pass in which it was to get that one.
      }(tasks[0], waiter));
      co_await yield();
      auto finished = as_completed(tasks);
      waiter = create_task([](AsCompleted<Task<int>>& its) -> Co<> { co_await its.next(); }(finished));
      co_await canceller;
      CHECK_THROWS_AS(co_await waiter, Cancelled);
      CHECK(*co_await finished.next() == tasks[0]);
      CHECK(*co_await finished.next() == tasks[1]);
      CHECK(co_await tasks[2] == 3);
    });
  }
}

TEST_CASE("W4: wait_for cancels what takes too long, waits until it has cleaned up, and throws TimeoutError",
          "[async][wait]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(co_await wait_for(clean_up_for(5ms), 10ms), TimeoutError);
    CHECK(loop.now() == TimePoint(15ms));
    auto task = loop.create_task(clean_up_for(5ms));
    CHECK_THROWS_AS(co_await wait_for(task, 10ms), TimeoutError);
    CHECK(loop.now() == TimePoint(30ms));
    CHECK(task.cancelled());
    const auto future = create_future<int>();
    CHECK_THROWS_AS(co_await wait_for(future, 10ms), TimeoutError);
    CHECK(future.cancelled());
    CHECK(current_task().cancelling() == 0);

    CHECK(co_await wait_for(value_after(1ms, 1), 10ms) == 1);
    CHECK(co_await wait_for(value_after(1h, 2), std::nullopt) == 2);
    CHECK_THROWS_WITH(co_await wait_for(fail_after(1ms), 10ms), "failed");
    CHECK(loop.timers() == 0);
  });
}

TEST_CASE("W5: with no time left, wait_for gives the value of what is done, and else starts nothing",
          "[async][wait]") {
  run_virtual([](Loop& loop) -> Co<> {
    for (const auto length : {0s, -1s}) {
      bool started = false;
      const auto body = [](bool& it) -> Co<int> {
        it = true;
        co_return 1;
      };
      CHECK_THROWS_AS(co_await wait_for(body(started), length), TimeoutError);
      auto fresh = loop.create_task(body(started));
      CHECK_THROWS_AS(co_await wait_for(fresh, length), TimeoutError);
      CHECK(fresh.cancelled());
      CHECK_FALSE(started);

      auto running = loop.create_task(clean_up_for(5ms));
      co_await yield();
      const auto before = loop.now();
      CHECK_THROWS_AS(co_await wait_for(running, length), TimeoutError);
      CHECK(running.cancelled());
      CHECK(loop.now() == before + 5ms);

      auto done = loop.create_task(value_after(0s, 7));
      co_await done;
      CHECK(co_await wait_for(done, length) == 7);
      CHECK(current_task().cancelling() == 0);
    }
  });
}

TEST_CASE("W6: what swallows wait_for's cancel and returns keeps its value, what throws its error",
          "[async][wait]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK(co_await wait_for(value_when_cancelled(4), 10ms) == 4);
    CHECK(co_await wait_for(loop.create_task(value_when_cancelled(5)), 10ms) == 5);
    CHECK_THROWS_AS(co_await wait_for(fail_when_cancelled(), 10ms), std::domain_error);
    CHECK_THROWS_AS(co_await wait_for(loop.create_task(fail_when_cancelled()), 10ms), std::domain_error);
    CHECK(current_task().cancelling() == 0);
    co_await sleep(1ms);
  });
}

TEST_CASE("W7: a cancel from outside cancels what wait_for waits for, awaits it, and leaves as Cancelled",
          "[async][wait]") {
  SECTION("a coroutine, a task, a future") {
    run_virtual([](Loop& loop) -> Co<> {
      auto inner = loop.create_task(clean_up_for(5ms));
      const auto future = create_future<int>();
      auto around_coroutine = loop.create_task(wait_for(clean_up_for(5ms), 1h));
      auto around_task = loop.create_task(wait_for(inner, 1h));
      auto around_future = loop.create_task(wait_for(future, 1h));
      co_await sleep(1ms);
      for (const auto& task : {around_coroutine, around_task, around_future}) task.cancel();
      for (const auto& task : {around_coroutine, around_task, around_future}) {
        CHECK_THROWS_AS(co_await task, Cancelled);
        CHECK(task.cancelling() == 1);
      }
      CHECK(inner.cancelled());
      CHECK(future.cancelled());
      CHECK(loop.now() == TimePoint(6ms));
      CHECK(loop.timers() == 0);
    });
  }
  SECTION("and a completion in the same pass does not hide it, on either side") {
    for (const bool completed_first : {true, false})
      run_virtual([&](Loop& loop) -> Co<> {
        const auto future = create_future<int>();
        auto task = loop.create_task(wait_for(future, 1h));
        co_await yield();
        if (completed_first) future.set_result(1);
        task.cancel();
        if (!completed_first) future.set_result_unless_cancelled(1);
        CHECK_THROWS_AS(co_await task, Cancelled);
      });
  }
  SECTION("nor does the timeout in the same pass") {
    run_virtual([](Loop& loop) -> Co<> {
      Task<int> task;
      loop.call_later(10ms, [&] { task.cancel(); });
      task = loop.create_task(wait_for(clean_up_for(2ms), 10ms));
      CHECK_THROWS_AS(co_await task, Cancelled);
    });
  }
}

TEST_CASE("W13: a cancel of one who waits behind a shield does not reach what is shielded", "[async][wait]") {
  SECTION("outer cancel") {
    run_virtual([](Loop& loop) -> Co<> {
      auto inner = loop.create_task(value_after(10ms, 3));
      auto outer = loop.create_task(shield(inner));
      co_await sleep(1ms);
      outer.cancel();
      CHECK_THROWS_AS(co_await outer, Cancelled);
      CHECK(loop.now() == TimePoint(1ms));
      CHECK(co_await inner == 3);
    });
  }
  SECTION("inner cancel, error and value are seen outside") {
    run_virtual([](Loop& loop) -> Co<> {
      auto inner = loop.create_task(value_after(10ms, 3));
      auto outer = loop.create_task(shield(inner));
      co_await sleep(1ms);
      inner.cancel();
      CHECK_THROWS_AS(co_await outer, Cancelled);
      CHECK_THROWS_WITH(co_await shield(fail_after(1ms)), "failed");
      CHECK(co_await shield(value_after(1ms, 4)) == 4);
    });
  }
  SECTION("what is done is given at once") {
    bool other_ran = false;  // After the body, too.
    run_virtual([&](Loop& loop) -> Co<> {
      const auto future = create_future<int>();
      future.set_result(5);
      loop.call_soon([&] { other_ran = true; });
      CHECK(co_await shield(future) == 5);
      CHECK_FALSE(other_ran);
    });
  }
  SECTION("a coroutine becomes a task, which lives on and may be awaited by others") {
    std::string log;
    run_virtual([&](Loop& loop) -> Co<> {
      const auto work = [](std::string& text) -> Co<> {
        co_await sleep(5ms);
        text += "done";
      };
      CHECK_THROWS_AS(co_await wait_for(shield(work(log)), 1ms), TimeoutError);
      CHECK(loop.now() == TimePoint(1ms));
      CHECK(log == "");
      co_await sleep(10ms);
      CHECK(log == "done");
    });
  }
  SECTION("a gather of shields can be cancelled alone") {
    run_virtual([](Loop& loop) -> Co<> {
      auto first = loop.create_task(value_after(5ms, 1));
      auto second = loop.create_task(value_after(5ms, 2));
      auto both = loop.create_task(gather::async::gather(shield(first), shield(second)));
      co_await sleep(1ms);
      both.cancel();
      CHECK_THROWS_AS(co_await both, Cancelled);
      CHECK(co_await first + co_await second == 3);
    });
  }
  SECTION("an error that nobody is left to hear of is reported") {
    std::vector<std::string> heard;
    run_virtual([&](Loop& loop) -> Co<> {
      loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
      CHECK_THROWS_AS(co_await wait_for(shield(fail_after(5ms)), 1ms), TimeoutError);
      co_await sleep(10ms);
    });
    CHECK(heard.size() == 1);
  }
}
