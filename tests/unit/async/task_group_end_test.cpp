// Groups in groups, and the ways in which one ends early.
#include "tests/unit/async/group_run.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace gather::async;
using namespace gather::test;

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
