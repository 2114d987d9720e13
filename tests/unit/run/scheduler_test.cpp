#include "core/run/scheduler.hpp"

#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>
#include <random>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::test::FakeRun;

TEST_CASE("a task starts once everything it needs has succeeded", "[run][scheduler]") {
  FakeRun run;
  run.task("fetch").takes(30ms);
  run.task("warm").takes(10ms);
  run.task("build").takes(10ms).needs("fetch", "warm");

  CHECK(run.trace() ==
        "   0 ms fetch starts\n   0 ms warm starts\n  10 ms warm passed\n"
        "  30 ms fetch passed\n  30 ms build starts\n  40 ms build passed\n");
  CHECK(run.record().wall == 40ms);
  CHECK(run.record().exit == gather::ExitStatus::success);
}

TEST_CASE("with one slot, tasks run one at a time", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(10ms);
  run.task("b").takes(20ms);
  run.task("c").takes(5ms);

  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a passed\n  10 ms b starts\n  30 ms b passed\n  30 ms c starts\n  35 ms c "
        "passed\n");
}

TEST_CASE("the longest remaining path goes first, and file order breaks ties", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.task("short").takes(10ms);
  run.task("also short").takes(10ms);
  run.task("head").takes(5ms);
  run.task("tail").takes(30ms).needs("head");

  CHECK(run.trace() ==
        "   0 ms head starts\n   5 ms head passed\n   5 ms tail starts\n  35 ms tail passed\n"
        "  35 ms short starts\n  45 ms short passed\n  45 ms also short starts\n  55 ms also short passed\n");
}

TEST_CASE("priority goes before rank", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.task("long").takes(50ms);
  run.task("urgent").takes(5ms).priority(1);

  CHECK(run.trace() ==
        "   0 ms urgent starts\n   5 ms urgent passed\n   5 ms long starts\n  55 ms long passed\n");
}

TEST_CASE("a full limit of one kind does not hold up another kind", "[run][scheduler]") {
  FakeRun run;
  run.options.limits = {2, 1, 1};
  run.options.order.schedule = Schedule::fifo;
  run.task("p1").takes(30ms).is_process();
  run.task("p2").takes(10ms).is_process();
  run.task("s").takes(10ms);

  CHECK(run.trace() ==
        "   0 ms p1 starts\n   0 ms s starts\n  10 ms s passed\n"
        "  30 ms p1 passed\n  30 ms p2 starts\n  40 ms p2 passed\n");
}

TEST_CASE("what needs a failed task is skipped, all the way, with its cause", "[run][scheduler]") {
  FakeRun run;
  run.task("build").takes(10ms).ends({Exited{2}});
  run.task("test").needs("build");
  run.task("deploy").needs("test");
  run.task("lint").takes(20ms);

  CHECK(run.trace() ==
        "   0 ms lint starts\n   0 ms build starts\n  10 ms build failed: exit status 2\n"
        "  10 ms test skipped: build failed\n  10 ms deploy skipped: build failed\n  20 ms lint passed\n");
  CHECK(run.record().tasks[2].cause == gather::job::TaskId(0));
  CHECK(run.record().exit == gather::ExitStatus::task_failed);
}

TEST_CASE("a failed attempt gives its slot to others while it waits to retry", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.options.order.schedule = Schedule::fifo;
  run.task("flaky").takes(10ms).ends({Exited{1}, Exited{1}}).retries(2, 100ms);
  run.task("other").takes(50ms);

  CHECK(run.trace() ==
        "   0 ms flaky starts\n  10 ms flaky will be tried again in 100 ms\n"
        "  10 ms other starts\n  60 ms other passed\n"
        " 110 ms flaky starts again (2)\n 120 ms flaky will be tried again in 200 ms\n"
        " 320 ms flaky starts again (3)\n 330 ms flaky flaky: passed at attempt 3 of 3\n");
  CHECK(run.record().tasks[0].attempts.size() == 3);
}

TEST_CASE("when the tries are used up, the task has failed", "[run][scheduler]") {
  FakeRun run;
  run.task("a").takes(10ms).ends({Exited{1}, Exited{7}}).retries(1, 10ms);

  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a will be tried again in 10 ms\n"
        "  20 ms a starts again (2)\n  30 ms a failed: exit status 7 after 2 attempts\n");
}

TEST_CASE("a delay begins when the needs are met, and takes no slot", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.options.order.schedule = Schedule::fifo;
  run.task("first").takes(10ms);
  run.task("later").takes(10ms).delay(50ms).needs("first");
  run.task("between").takes(30ms);

  CHECK(run.trace() ==
        "   0 ms first starts\n  10 ms first passed\n  10 ms between starts\n  40 ms between passed\n"
        "  60 ms later starts\n  70 ms later passed\n");
}

TEST_CASE("an attempt that takes too long is stopped, within its own time", "[run][scheduler]") {
  FakeRun run;
  run.task("slow").takes(1h).timeout(20ms).stops_in(5ms);
  run.task("after").needs("slow");

  CHECK(run.trace() ==
        "   0 ms slow starts\n  25 ms slow timed_out: timed out after 20 ms\n"
        "  25 ms after skipped: slow timed out\n");
}

TEST_CASE("milestones pass at once and take no slot", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.task("a").takes(10ms);
  run.task("gate").is_milestone().needs("a");
  run.task("b").takes(10ms).needs("gate");

  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a passed\n  10 ms gate passed\n  10 ms b starts\n  20 ms b passed\n");
}

TEST_CASE("a chain of 100,000 milestones needs no stack", "[run][scheduler]") {
  FakeRun run;
  std::string before;
  for (int i = 0; i < 100'000; ++i) {
    auto task = run.task("m" + std::to_string(i)).is_milestone();
    if (i > 0) task.needs(before);
    before = "m" + std::to_string(i);
  }
  run.trace();
  CHECK(
      std::ranges::all_of(run.record().tasks, [](const TaskRecord& t) { return t.state == State::passed; }));
}

TEST_CASE("a thousand sleeps under fifty slots take twenty rounds, and never more than fifty run",
          "[run][scheduler]") {
  std::vector<int> order(1000);
  std::iota(order.begin(), order.end(), 0);
  std::ranges::shuffle(order, std::mt19937(GENERATE(1u, 2u, 3u)));
  FakeRun run;
  run.options.limits.jobs = 50;
  for (const int i : order) run.task("s" + std::to_string(i)).takes(10ms);

  run.trace();

  CHECK(run.record().wall == 200ms);
  CHECK(run.most_running == 50);
}

TEST_CASE("a chain of 3,000 listed backwards ends with one slot", "[run][scheduler]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  for (int i = 0; i < 3000; ++i) run.task("t" + std::to_string(i)).takes(1ms);
  for (int i = 0; i + 1 < 3000; ++i) run.needs("t" + std::to_string(i), "t" + std::to_string(i + 1));

  run.trace();

  CHECK(run.record().wall == 3s);
}

TEST_CASE("the same seed shuffles the same way, another one differently", "[run][scheduler]") {
  const auto trace = [](std::uint64_t seed) {
    FakeRun run;
    run.options.limits.jobs = 1;
    run.options.order.shuffle_seed = seed;
    for (int i = 0; i < 20; ++i) run.task("t" + std::to_string(i)).takes(1ms);
    return run.trace();
  };
  CHECK(trace(1) == trace(1));
  CHECK(trace(1) != trace(2));
}
