// Time limits that follow the others, and tasks that are said to be slow.
#include "core/run/median_limits.hpp"
#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::Duration;
using gather::test::FakeRun;

TEST_CASE("a running median is that of everything so far", "[run][timeout]") {
  std::mt19937 random(7);
  RunningMedian median;
  std::vector<Duration> all;
  for (int i = 0; i < 500; ++i) {
    all.emplace_back(random() % 50);
    median.add(all.back());
    std::vector<Duration> sorted = all;
    std::ranges::sort(sorted);
    REQUIRE(median.value() == sorted[(sorted.size() - 1) / 2]);
    REQUIRE(median.count() == all.size());
  }
}

TEST_CASE("a limit in percent counts from the median of three that have passed", "[run][timeout]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(10ms).timeout_percent(300);
  run.task("b").takes(500ms).timeout_percent(300);  // Nothing is known yet.
  run.task("c").takes(12ms).timeout_percent(300);
  run.task("d").takes(1s).timeout_percent(300);
  run.task("e").takes(35ms).timeout_percent(300);
  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a passed\n  10 ms b starts\n 510 ms b passed\n 510 ms c starts\n"
        " 522 ms c passed\n 522 ms d starts\n 558 ms d timed_out: timed out after 36 ms\n"
        " 558 ms e starts\n 593 ms e passed\n");
}

TEST_CASE("the limit moves while a task runs", "[run][timeout]") {
  FakeRun run;
  run.options.order.schedule = Schedule::fifo;
  run.task("long").takes(1s).timeout_percent(200);
  run.task("a").takes(10ms).timeout_percent(200);
  run.task("b").takes(30ms).timeout_percent(200);
  run.task("c").takes(40ms).timeout_percent(200);
  run.task("d").takes(20ms).timeout_percent(200).needs("c");
  run.task("other").takes(30ms).is_process().timeout_percent(200);  // Another kind has its own median.
  // At 40 ms the median is 30 ms. So at 60 ms the limit is reached.
  CHECK(run.trace() ==
        "   0 ms long starts\n   0 ms a starts\n   0 ms b starts\n   0 ms c starts\n   0 ms other starts\n"
        "  10 ms a passed\n  30 ms b passed\n  30 ms other passed\n  40 ms c passed\n  40 ms d starts\n"
        "  60 ms d passed\n  60 ms long timed_out: timed out after 60 ms\n");
}

TEST_CASE("an attempt that ran into such a limit is tried again as after any other", "[run][timeout]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.options.order.schedule = Schedule::fifo;
  for (int i = 0; i < 3; ++i) run.task("t" + std::to_string(i)).takes(10ms).timeout_percent(150);
  run.task("slow").takes(20ms).timeout_percent(150).retries(1, 5ms).stops_in(2ms);
  CHECK(run.trace() ==
        "   0 ms t0 starts\n  10 ms t0 passed\n  10 ms t1 starts\n  20 ms t1 passed\n  20 ms t2 starts\n"
        "  30 ms t2 passed\n  30 ms slow starts\n  47 ms slow will be tried again in 5.0 ms\n"
        "  52 ms slow starts again (2)\n"
        "  69 ms slow timed_out: timed out after 15 ms after 2 attempts\n");
}

TEST_CASE("an attempt is said to be slow once, when it takes that long", "[run][timeout]") {
  FakeRun run;
  run.task("a").takes(100ms).slow_after(30ms).ends({Exited{1}}).retries(1, 10ms);
  run.task("b").takes(30ms).slow_after(40ms);
  CHECK(run.trace() ==
        "   0 ms a starts\n   0 ms b starts\n  30 ms a is slow after 30 ms\n  30 ms b passed\n"
        " 100 ms a will be tried again in 10 ms\n 110 ms a starts again (2)\n"
        " 140 ms a is slow after 30 ms\n 210 ms a flaky: passed at attempt 2 of 2\n");
}

TEST_CASE("a run that is stopped says nothing more of slow tasks", "[run][timeout]") {
  FakeRun run;
  run.task("a").takes(100ms).slow_after(30ms).stops_in(50ms);
  run.task("b").takes(100ms).timeout_percent(200);
  run.at(20ms, [](Scheduler& scheduler) { scheduler.stop({"interrupted"}); });
  CHECK(run.trace() ==
        "   0 ms a starts\n   0 ms b starts\n  20 ms stopping: interrupted\n"
        "  20 ms b cancelled: interrupted\n  70 ms a cancelled: interrupted\n");
}
