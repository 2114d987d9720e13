#include "tests/unit/async/group_run.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace gather::async;
using namespace gather::test;

TEST_CASE("N1: leaving a group waits for all tasks, also those started meanwhile", "[async][group]") {
  SECTION("by the body and after an await") {
    run_virtual([](Loop& loop) -> Co<> {
      Task<int> first;
      Task<int> second;
      co_await task_group([&](TaskGroup& group) -> Co<> {
        first = group.create_task(value_after(10ms, 42));
        co_await sleep(15ms);
        second = group.spawn(value_after(0ms, 11), "second");
        CHECK(second.name() == "second");
      });
      CHECK(first.result() == 42);
      CHECK(second.result() == 11);
      CHECK(loop.now() == TimePoint(15ms));
    });
  }
  SECTION("while earlier ones end") {
    run_virtual([](Loop& loop) -> Co<> {
      co_await task_group([](TaskGroup& group) -> Co<> {
        for (int i = 0; i < 10; ++i) {
          co_await sleep(100ms);
          group.create_task(sleep_for(300ms));
          CHECK(group.size() < 5);
        }
        co_await sleep(1350ms);
        CHECK(group.size() == 0);
      });
      CHECK(loop.now() == TimePoint(2350ms));
    });
  }
  SECTION("by a task of the group, after the body has ended") {
    std::string log;
    run_virtual([&](Loop& loop) -> Co<> {
      co_await task_group([&](TaskGroup& group) -> Co<> {
        group.create_task([](TaskGroup& its, std::string& text) -> Co<> {
          co_await sleep(1ms);
          its.create_task(note_after(5ms, text, "a "));
          its.create_task(note_after(7ms, text, "b"));
        }(group, log));
        co_return;
      });
      CHECK(loop.now() == TimePoint(8ms));
    });
    CHECK(log == "a b");
  }
}

TEST_CASE("N2: the first failure cancels the others and the body; all errors leave as one group",
          "[async][group]") {
  std::string log;
  SECTION("of a task, while the body waits") {
    run_virtual([&](Loop& loop) -> Co<> {
      try {
        co_await task_group([&](TaskGroup& group) -> Co<> {
          group.create_task(fail_after(1ms, "one"), "first");
          group.create_task(note_after(1h, log, "never"));
          co_await sleep(1h);
        });
      } catch (const ErrorGroup& error) {
        log += error.what();
      }
      CHECK(loop.now() == TimePoint(1ms));
      CHECK(current_task().cancelling() == 0);
    });
    CHECK(log == "cancelled a task of a group failed; first: one");
  }
  SECTION("of a task, after the body has ended") {
    run_virtual([&](Loop&) -> Co<> {
      Task<> other;
      CHECK(co_await outcome([&](TaskGroup& group) -> Co<> {
              group.create_task(fail_after(1ms, "one"));
              other = group.create_task(note_after(1h, log, "never"));
              co_return;
            }) == "one");
      CHECK(other.cancelled());
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
    CHECK(log == "cancelled ");
  }
  SECTION("and what the others fail with while they are cancelled is part of it") {
    run_virtual([](Loop&) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
              group.create_task(fail_when_cancelled("second"));
              group.create_task(fail_after(1ms, "first"));
              group.create_task(fail_when_cancelled("third"));
              co_return;
            }) == "first second third");
    });
  }
  SECTION("the others end their cleanup first") {
    run_virtual([](Loop& loop) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
              group.create_task(fail_after(1ms, "one"));
              group.create_task(clean_up_for(5ms));
              co_return;
            }) == "one");
      CHECK(loop.now() == TimePoint(6ms));
    });
  }
}

TEST_CASE("N3: the body's error joins the group, a task cancelled on its own is no failure",
          "[async][group]") {
  SECTION("a cancelled task") {
    run_virtual([](Loop& loop) -> Co<> {
      Task<> lone;
      Task<int> other;
      co_await task_group([&](TaskGroup& group) -> Co<> {
        lone = group.create_task(sleep_for(1h));
        co_await sleep(15ms);
        lone.cancel();
        other = group.create_task(value_after(1ms, 11));
      });
      CHECK(lone.cancelled());
      CHECK(other.result() == 11);
      CHECK(loop.now() == TimePoint(16ms));
    });
  }
  SECTION("the body's error, at once") {
    run_virtual([](Loop&) -> Co<> {
      Task<> first;
      CHECK(co_await outcome([&](TaskGroup& group) -> Co<> {
              first = group.create_task(sleep_for(1h));
              throw std::runtime_error("mine");
              co_return;
            }) == "mine");
      CHECK(first.cancelled());
    });
  }
  SECTION("the body's error, after an await, and behind those of tasks") {
    run_virtual([](Loop&) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
              group.create_task(fail_when_cancelled("task"));
              co_await sleep(1ms);
              throw std::runtime_error("mine");
            }) == "task mine");
    });
  }
  SECTION("a task that swallows the cancel still ends in its own way") {
    run_virtual([](Loop&) -> Co<> {
      Task<int> stubborn;
      CHECK(co_await outcome([&](TaskGroup& group) -> Co<> {
              stubborn = group.create_task([]() -> Co<int> {
                try {
                  co_await sleep(1h);
                } catch (const Cancelled&) {
                }
                co_return 5;
              }());
              co_await sleep(1ms);
              throw std::runtime_error("mine");
            }) == "mine");
      CHECK(stubborn.result() == 5);
    });
  }
}

TEST_CASE("N4: a cancel from outside cancels the tasks, waits, and leaves as Cancelled or under the errors",
          "[async][group]") {
  SECTION("while the body waits, and after it has ended") {
    for (const auto body_waits : {0s, 3600s})
      run_virtual([&](Loop& loop) -> Co<> {
        Task<> inner;
        auto task = loop.create_task([](gather::Duration wait, Task<>& its) -> Co<> {
          co_await task_group([&](TaskGroup& group) -> Co<> {
            its = group.create_task(clean_up_for(5ms));
            co_await sleep(wait);
          });
        }(body_waits, inner));
        co_await sleep(1ms);
        task.cancel();
        CHECK_THROWS_AS(co_await task, Cancelled);
        CHECK(loop.now() == TimePoint(6ms));
        CHECK(inner.cancelled());
        CHECK(task.cancelling() == 1);
      });
  }
  SECTION("tasks that fail meanwhile have priority, and the cancel is due again") {
    run_virtual([](Loop& loop) -> Co<> {
      std::string log;
      auto task = loop.create_task([](std::string& text) -> Co<> {
        text += co_await outcome([](TaskGroup& group) -> Co<> {
          group.create_task(fail_when_cancelled("in cleanup"));
          co_await sleep(1h);
        });
        text += std::to_string(current_task().cancelling());
        co_await sleep(1h);
        text += "never";
      }(log));
      co_await sleep(1ms);
      task.cancel();
      co_await sleep(1ms);
      CHECK(log == "in cleanup1");
      CHECK(task.cancelled());
    });
  }
  SECTION("a failure and a cancel in one pass") {
    run_virtual([](Loop& loop) -> Co<> {
      std::string log;
      Event event;
      auto task = loop.create_task([](Event& failing, std::string& text) -> Co<> {
        text += co_await outcome([&](TaskGroup& group) -> Co<> {
          group.create_task([](Event& its) -> Co<> {
            its.set();
            throw std::runtime_error("child");
            co_return;
          }(failing));
          co_await sleep(1h);
        });
        text += std::to_string(current_task().cancelling());
        co_await sleep(1h);
        text += "never";
      }(event, log));
      co_await event.wait();
      task.cancel();
      co_await sleep(1ms);
      CHECK(log == "child1");
      CHECK(task.cancelled());
    });
  }
}

TEST_CASE("N5: the group's own cancel of its parent is always undone", "[async][group]") {
  SECTION("also where the body replaced the error") {
    run_virtual([](Loop&) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
              group.create_task(fail_after(1ms, "child"));
              co_await fail_when_cancelled("replaced");
            }) == "child replaced");
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
  }
  SECTION("also where the body swallowed it") {
    run_virtual([](Loop& loop) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
              group.create_task(fail_after(1ms, "child"));
              try {
                co_await sleep(1h);
              } catch (const Cancelled&) {
              }
              co_await sleep(1ms);
            }) == "child");
      CHECK(loop.now() == TimePoint(2ms));
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
  }
  SECTION("a request that the task has long dealt with is neither undone nor told again") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task([]() -> Co<> {
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
        }
        CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
                group.create_task(fail_after(1ms, "child"));
                co_await sleep(1h);
              }) == "child");
        CHECK(current_task().cancelling() == 1);
        co_await sleep(1ms);
      }());
      co_await sleep(1ms);
      task.cancel();
      co_await task;
    });
  }
}

TEST_CASE("a group gives its body's value", "[async][group]") {
  CHECK(run_virtual([](Loop&) -> Co<int> {
          co_return co_await task_group([](TaskGroup&) -> Co<int> { co_return 9; });
        }) == 9);
}
