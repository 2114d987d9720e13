#include "core/async/combine/task_group.hpp"

#include "core/async/loop/runner.hpp"
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

Co<> sleep_for(gather::Duration length) { co_await sleep(length); }

Co<> note_after(gather::Duration length, std::string& log, std::string text) {
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

// Sleeps an hour, or until it is cancelled and has cleaned up for `cleanup`; then passes the cancel on.
Co<> clean_up_for(gather::Duration cleanup) {
  std::exception_ptr cancelled;
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    cancelled = std::current_exception();
  }
  co_await sleep(cleanup);
  if (cancelled) std::rethrow_exception(cancelled);
}

Co<> fail_when_cancelled(std::string text) {
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    throw std::runtime_error(text);
  }
}

Co<> interrupt_after(gather::Duration length) {
  co_await sleep(length);
  throw Interrupted{};
}

// The errors of the group that `body` leaves with, "text text"; "Cancelled", or "value".
template <class Body>
Co<std::string> outcome(Body body) {
  try {
    co_await task_group(body);
  } catch (const ErrorGroup& group) {
    std::string texts;
    for (const ErrorGroup::Member& member : group.members()) {
      if (!texts.empty()) texts += ' ';
      texts += describe(member.error);
    }
    co_return texts;
  } catch (const Cancelled&) {
    co_return "Cancelled";
  }
  co_return "value";
}

}  // namespace

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

TEST_CASE("N6: nested groups that fail together both report, and an outer cancel is not swallowed",
          "[async][group]") {
  SECTION("both groups fail in one pass") {
    run_virtual([](Loop&) -> Co<> {
      std::string inner;
      CHECK(co_await outcome([&](TaskGroup& outer) -> Co<> {
              inner = co_await outcome([&](TaskGroup& group) -> Co<> {
                group.create_task(fail_after(0ms, "inside"));
                outer.create_task(fail_after(0ms, "outside"));
                co_return;
              });
              CHECK(current_task().cancelling() == 1);
              co_await sleep(1h);
              FAIL("the outer group's cancel was swallowed");
            }) == "outside");
      CHECK(inner == "inside");
      CHECK(current_task().cancelling() == 0);
    });
  }
  SECTION("an error of the inner group becomes one of the outer") {
    run_virtual([](Loop&) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& outer) -> Co<> {
              outer.create_task(fail_when_cancelled("outside"));
              co_await task_group([](TaskGroup& group) -> Co<> {
                group.create_task(fail_after(1ms, "inside"));
                co_return;
              });
            }) == "outside a task of a group failed; Task-3: inside");
    });
  }
  SECTION("a cancel from outside goes through both, whose tasks all end") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task([]() -> Co<> {
        co_await task_group([](TaskGroup& outer) -> Co<> {
          outer.create_task(clean_up_for(2ms));
          co_await task_group([](TaskGroup& group) -> Co<> {
            group.create_task(clean_up_for(4ms));
            co_await sleep(1h);
          });
        });
      }());
      co_await sleep(1ms);
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(loop.now() == TimePoint(7ms));  // From the inside out.
      CHECK(loop.all_tasks().size() == 1);
    });
  }
}

TEST_CASE("N7: a group that has ended or is being torn down takes no more tasks, and destroys the coroutine",
          "[async][group]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::vector<std::string> heard;
    loop.set_debug(true);
    loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
    auto argument = std::make_shared<int>(1);
    const auto refused = [&](TaskGroup& group) {
      CHECK_THROWS_AS(group.create_task([](std::shared_ptr<int>) -> Co<> { co_return; }(argument)),
                      InvalidState);
      CHECK(argument.use_count() == 1);
    };
    CHECK(co_await outcome([&](TaskGroup& group) -> Co<> {
            group.create_task(fail_after(0ms, "child"));
            try {
              co_await sleep(1h);
            } catch (const Cancelled&) {
              refused(group);
              throw;
            }
          }) == "child");
    TaskGroup group(co_await this_task());
    co_await group.leave(nullptr);
    refused(group);
    CHECK(heard.empty());
  });
}

TEST_CASE("N8: repeated cancels while a group drains lose no tasks", "[async][group]") {
  SECTION("the body cleans up, and a task fails meanwhile") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task([]() -> Co<> {
        co_await task_group([](TaskGroup& group) -> Co<> {
          group.create_task(fail_after(3ms, "crash"));
          group.create_task(fail_when_cancelled("as well"));
          co_await clean_up_for(1h);
        });
      }());
      co_await sleep(1ms);
      task.cancel();
      CHECK_THROWS_WITH(co_await task, "2 tasks of a group failed; Task-3: crash; Task-4: as well");
      CHECK(loop.now() == TimePoint(3ms));
    });
  }
  SECTION("the tasks clean up, and more cancels come") {
    run_virtual([](Loop& loop) -> Co<> {
      Task<> slow;
      auto task = loop.create_task([](Task<>& its) -> Co<> {
        co_await task_group([&](TaskGroup& group) -> Co<> {
          its = group.create_task(clean_up_for(10ms));
          co_await sleep(1h);
        });
      }(slow));
      for (int i = 0; i < 3; ++i) {
        co_await sleep(1ms);
        CHECK_FALSE(task.done());
        task.cancel();
      }
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(slow.cancelled());
      CHECK(loop.now() == TimePoint(11ms));
      CHECK(task.cancelling() == 3);
    });
  }
  SECTION("tasks that start tasks are outrun") {
    run_virtual([](Loop& loop) -> Co<> {
      int heads = 0;
      const auto hydra = [&](auto& self, TaskGroup& group) -> Co<> {
        ++heads;
        co_await sleep(10ms);
        group.create_task(self(self, group));
        group.create_task(self(self, group));
      };
      const auto hercules = [&]() -> Co<> {
        while (heads < 10) co_await sleep(15ms);
        throw std::runtime_error("Hercules");
      };
      const std::string errors = co_await outcome([&](TaskGroup& group) -> Co<> {
        group.create_task(hydra(hydra, group));
        group.create_task(hercules());
        co_return;
      });
      CHECK(errors == "Hercules");
      CHECK(heads >= 10);
      CHECK(loop.all_tasks().size() == 1);
    });
  }
}

TEST_CASE("N9: an interrupt leaves a group alone, and the errors it overrides are reported",
          "[async][group]") {
  run_virtual([](Loop& loop) -> Co<> {
    std::vector<std::string> heard;
    loop.set_exception_handler([&](const Complaint& complaint) {
      heard.push_back(complaint.message + ": " + describe(complaint.error));
    });
    bool interrupted = false;
    const auto run = [&](Co<std::string> group) -> Co<> {
      interrupted = false;
      heard.clear();
      try {
        co_await std::move(group);
      } catch (const Interrupted&) {
        interrupted = true;
      }
      CHECK(interrupted);
      CHECK(current_task().cancelling() == 0);
    };
    co_await run(outcome([](TaskGroup& group) -> Co<> {  // Of a task; the body fails.
      group.create_task(interrupt_after(1ms));
      co_await fail_when_cancelled("mine");
    }));
    CHECK(heard == std::vector<std::string>{"an interrupt overrides the failure of body: mine"});
    co_await run(outcome([](TaskGroup& group) -> Co<> {  // Of the body; a task fails.
      group.create_task(fail_after(1ms, "child"), "crash");
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        throw Interrupted{};
      }
    }));
    CHECK(heard == std::vector<std::string>{"an interrupt overrides the failure of crash: child"});
    CHECK(co_await outcome([](TaskGroup& group) -> Co<> {  // What is thrown otherwise joins the group.
            group.create_task([]() -> Co<> {
              throw 7;
              co_return;
            }());
            co_return;
          }) == "unknown exception");
  });
}

TEST_CASE("N10: cancel() ends a group quietly, repeatedly, and never eats a cancel from elsewhere",
          "[async][group]") {
  SECTION("from its body, which is cut off at its next await") {
    run_virtual([](Loop& loop) -> Co<> {
      Task<> child;
      CHECK(co_await outcome([&](TaskGroup& group) -> Co<> {
              child = group.create_task(clean_up_for(5ms));
              co_await sleep(1ms);
              group.cancel();
              group.cancel();
              co_await sleep(1h);
              FAIL("the body was not cancelled");
            }) == "value");
      CHECK(child.cancelled());
      CHECK(loop.now() == TimePoint(6ms));
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
  }
  SECTION("from its body, which then returns") {
    run_virtual([](Loop&) -> Co<> {
      Task<> child;
      CHECK(co_await task_group([&](TaskGroup& group) -> Co<int> {
              child = group.create_task(sleep_for(1h));
              group.cancel();
              CHECK_THROWS_AS(group.create_task(sleep_for(1h)), InvalidState);
              co_return 4;
            }) == 4);
      CHECK(child.cancelled());
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
  }
  SECTION("from a task of the group, while the body waits, and after it has ended") {
    for (const auto body_waits : {0s, 3600s})
      run_virtual([&](Loop& loop) -> Co<> {
        CHECK(co_await outcome([&](TaskGroup& group) -> Co<> {
                group.create_task(sleep_for(2h));
                group.create_task([](TaskGroup& its) -> Co<> {
                  co_await sleep(1ms);
                  its.cancel();
                }(group));
                co_await sleep(body_waits);
              }) == "value");
        CHECK(loop.now() == TimePoint(1ms));
        CHECK(current_task().cancelling() == 0);
        co_await sleep(1ms);
      });
  }
  SECTION("errors are still errors") {
    run_virtual([](Loop&) -> Co<> {
      CHECK(co_await outcome([](TaskGroup& group) -> Co<> {
              group.create_task(fail_when_cancelled("in cleanup"));
              co_await sleep(1ms);
              group.cancel();
            }) == "in cleanup");
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
  }
  SECTION("a cancel from elsewhere in the same pass, or while the tasks clean up, still leaves") {
    for (const auto later : {0ms, 2ms})
      for (const auto body_waits : {0s, 3600s})
        run_virtual([&](Loop& loop) -> Co<> {
          TaskGroup* its = nullptr;
          auto task = loop.create_task([](TaskGroup*& place, gather::Duration wait) -> Co<std::string> {
            co_return co_await outcome([&](TaskGroup& group) -> Co<> {
              place = &group;
              group.create_task(clean_up_for(5ms));
              co_await sleep(wait);
            });
          }(its, body_waits));
          co_await sleep(1ms);
          its->cancel();
          co_await sleep(later);
          task.cancel();
          CHECK(co_await task == "Cancelled");
          CHECK(task.cancelling() == 1);
        });
  }
  SECTION("where the body was to give a value and did not, that is an error") {
    run_virtual([](Loop&) -> Co<> {
      CHECK_THROWS_AS(co_await task_group([](TaskGroup& group) -> Co<int> {
                        group.cancel();
                        co_await sleep(1h);
                        co_return 1;
                      }),
                      InvalidState);
      CHECK(current_task().cancelling() == 0);
    });
  }
  SECTION("after its end it does nothing") {
    run_virtual([](Loop&) -> Co<> {
      TaskGroup group(co_await this_task());
      co_await group.leave(nullptr);
      group.cancel();
      CHECK(current_task().cancelling() == 0);
      co_await sleep(1ms);
    });
  }
}

TEST_CASE("a group gives its body's value", "[async][group]") {
  CHECK(run_virtual([](Loop&) -> Co<int> {
          co_return co_await task_group([](TaskGroup&) -> Co<int> { co_return 9; });
        }) == 9);
}
