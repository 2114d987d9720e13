#include "core/async/combine/task_group.hpp"

#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<> sleep_then_note(gather::Duration length, std::string& log, std::string text) {
  try {
    co_await sleep(length);
  } catch (const Cancelled&) {
    log += "cancelled ";
    throw;
  }
  log += text;
}

Co<> fail_after(gather::Duration length, std::string text) {
  co_await sleep(length);
  throw std::runtime_error(text);
}

}  // namespace

TEST_CASE("N1: leaving a group waits for all tasks, also those started meanwhile", "[async][group]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    co_await task_group([&](TaskGroup& group) -> Co<> {
      group.spawn(sleep_then_note(2ms, log, "b "));
      group.spawn([](TaskGroup& g, std::string& text) -> Co<> {
        co_await sleep(1ms);
        text += "a ";
        g.spawn(sleep_then_note(5ms, text, "c"));
      }(group, log));
      co_return;
    });
    CHECK(loop.now() == TimePoint(6ms));
  });
  CHECK(log == "a b c");
}

TEST_CASE("N2: the first failure cancels the others and the body; all errors leave as one group",
          "[async][group]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    try {
      co_await task_group([&](TaskGroup& group) -> Co<> {
        group.spawn(fail_after(1ms, "one"), "first");
        group.spawn(sleep_then_note(1h, log, "never"));
        co_await sleep(1h);
      });
    } catch (const ErrorGroup& error) {
      log += error.what();
    }
    CHECK(loop.now() == TimePoint(1ms));
    CHECK(loop.current_task()->cancelling() == 0);
  });
  CHECK(log == "cancelled a task of a group failed; first: one");
}

TEST_CASE("N3: the body's error joins the group, a member cancelled on its own is no failure",
          "[async][group]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    co_await task_group([&](TaskGroup& group) -> Co<> {
      auto lone = group.spawn(sleep_then_note(1h, log, "never"));
      co_await yield();
      lone.cancel();
    });
    CHECK_THROWS_WITH(co_await task_group([&](TaskGroup&) -> Co<> {
                        throw std::runtime_error("mine");
                        co_return;
                      }),
                      "a task of a group failed; body: mine");
  });
  CHECK(log == "cancelled ");
}

TEST_CASE("N4: a cancel from outside cancels the members, waits, and leaves as Cancelled", "[async][group]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task([](std::string& text) -> Co<> {
      co_await task_group([&](TaskGroup& group) -> Co<> {
        group.spawn(sleep_then_note(1h, text, "never"));
        co_return;
      });
    }(log));
    co_await sleep(1ms);
    task.cancel();
    co_await sleep(1ms);
    CHECK(task.cancelled());
    CHECK(task.cell().cancelling() == 1);
  });
  CHECK(log == "cancelled ");
}

TEST_CASE("N5: the group's own cancel of its parent is always undone", "[async][group]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(co_await task_group([](TaskGroup& group) -> Co<> {
                      group.spawn(fail_after(1ms, "child"));
                      try {
                        co_await sleep(1h);
                      } catch (const Cancelled&) {
                        throw std::domain_error("replaced");
                      }
                    }),
                    ErrorGroup);
    CHECK(loop.current_task()->cancelling() == 0);
    co_await sleep(1ms);
  });
}

TEST_CASE("N7: a group that is being torn down takes no more tasks", "[async][group]") {
  run_virtual([](Loop&) -> Co<> {
    CHECK_THROWS_AS(co_await task_group([](TaskGroup& group) -> Co<> {
                      group.spawn(fail_after(0s, "child"));
                      try {
                        co_await sleep(1h);
                      } catch (const Cancelled&) {
                        CHECK_THROWS_AS(group.spawn(fail_after(0s, "late")), InvalidState);
                        throw;
                      }
                    }),
                    ErrorGroup);
  });
}

TEST_CASE("a group gives its body's value", "[async][group]") {
  CHECK(run_virtual([](Loop&) -> Co<int> {
          co_return co_await task_group([](TaskGroup&) -> Co<int> { co_return 9; });
        }) == 9);
}
