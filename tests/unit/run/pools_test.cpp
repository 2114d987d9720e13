// Pools, weights, tasks that run alone, and who goes next when somebody has been overtaken for too long.
#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::test::FakeRun;

TEST_CASE("a pool's units are never exceeded, and nobody without one waits for it", "[run][pools]") {
  FakeRun run;
  run.options.limits.pools = {{"db", 2}};
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(10ms).pool("db");
  run.task("b").takes(20ms).pool("db");
  run.task("c").takes(10ms).pool("db");
  run.task("free").takes(5ms);
  CHECK(run.trace() ==
        "   0 ms a starts\n   0 ms b starts\n   0 ms free starts\n   5 ms free passed\n"
        "  10 ms a passed\n  10 ms c starts\n  20 ms b passed\n  20 ms c passed\n");
  CHECK(run.record().tasks[2].lacked[static_cast<std::size_t>(Lack::pool)] == 10ms);
}

TEST_CASE("a task takes units of several pools and its slot at once, or nothing", "[run][pools]") {
  FakeRun run;
  run.options.limits.pools = {{"x", 1}, {"y", 3}};
  run.options.order.schedule = Schedule::fifo;
  run.task("x").takes(10ms).pool("x");
  run.task("both").takes(10ms).pool("x").pool("y", 2);
  run.task("y").takes(20ms).pool("y", 2);
  CHECK(run.trace() ==
        "   0 ms x starts\n   0 ms y starts\n  10 ms x passed\n  20 ms y passed\n"
        "  20 ms both starts\n  30 ms both passed\n");
}

TEST_CASE("a weight is slots of all and of its kind, and more than there are are all of them",
          "[run][pools]") {
  FakeRun run;
  run.options.limits = {4, 3, 3};
  run.options.order.schedule = Schedule::fifo;
  run.task("heavy").takes(10ms).is_process().weight(2);
  run.task("light").takes(10ms).is_process();
  run.task("more").takes(10ms).is_process();
  run.task("sleep").takes(10ms);
  run.task("huge").takes(10ms).weight(100);
  run.task("last").takes(10ms);
  CHECK(run.trace() ==
        "   0 ms heavy starts\n   0 ms light starts\n   0 ms sleep starts\n"
        "  10 ms heavy passed\n  10 ms light passed\n  10 ms sleep passed\n"
        "  10 ms more starts\n  10 ms last starts\n  20 ms more passed\n  20 ms last passed\n"
        "  20 ms huge starts\n  30 ms huge passed\n");
}

TEST_CASE("while an exclusive task runs, nothing else does", "[run][pools]") {
  FakeRun run;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(10ms).is_process();
  run.task("alone").takes(10ms).exclusive();
  run.task("b").takes(10ms).fetches("http://a.test/").needs("a");
  run.task("c").takes(5ms).needs("a");
  run.task("after").takes(1ms).needs("alone");
  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a passed\n  10 ms alone starts\n  20 ms alone passed\n"
        "  20 ms b starts\n  20 ms c starts\n  20 ms after starts\n  21 ms after passed\n"
        "  25 ms c passed\n  30 ms b passed\n");
}

TEST_CASE("one that was overtaken for longer than its expected time gets the next slots", "[run][pools]") {
  FakeRun run;
  run.options.limits.jobs = 2;
  run.options.order.schedule = Schedule::fifo;
  run.task("l0").takes(10ms);
  run.task("heavy").takes(50ms).is_process().weight(2).estimate(25ms);
  for (int i = 1; i <= 9; ++i) run.task("l" + std::to_string(i)).takes(i % 2 == 0 ? 10ms : 12ms);
  // Overtaken from the start; so from 26 ms on, what becomes free is its.
  CHECK(run.trace() ==
        "   0 ms l0 starts\n   0 ms l1 starts\n  10 ms l0 passed\n  10 ms l2 starts\n"
        "  12 ms l1 passed\n  12 ms l3 starts\n  20 ms l2 passed\n  20 ms l4 starts\n"
        "  24 ms l3 passed\n  24 ms l5 starts\n  30 ms l4 passed\n  36 ms l5 passed\n"
        "  36 ms heavy starts\n  86 ms heavy passed\n"
        "  86 ms l6 starts\n  86 ms l7 starts\n  96 ms l6 passed\n  96 ms l8 starts\n"
        "  98 ms l7 passed\n  98 ms l9 starts\n 106 ms l8 passed\n 110 ms l9 passed\n");
}

TEST_CASE("an exclusive task is let in though the others never end all at once", "[run][pools]") {
  FakeRun run;
  run.options.limits.jobs = 3;
  run.options.order.schedule = Schedule::fifo;
  run.task("first").takes(5ms);
  run.task("alone").takes(10ms).is_process().exclusive().estimate(100ms);
  for (int i = 0; i < 200; ++i) run.task("t" + std::to_string(i)).takes(std::chrono::milliseconds(5 + i % 7));
  run.trace();
  const auto started = *run.record().tasks[1].started_at();
  CHECK(started > 100ms);
  CHECK(started < 120ms);
}

TEST_CASE("who needs two pools that are never free together gets both in the end", "[run][pools]") {
  FakeRun run;
  run.options.limits.pools = {{"x", 1}, {"y", 1}};
  run.options.order.schedule = Schedule::fifo;
  run.task("x").takes(7ms).pool("x");
  run.task("y").takes(4ms).pool("y");
  run.task("both").takes(10ms).is_process().pool("x").pool("y").estimate(40ms);
  for (int i = 0; i < 50; ++i) {
    run.task("x" + std::to_string(i)).takes(7ms).pool("x");
    run.task("y" + std::to_string(i)).takes(4ms).pool("y");
  }
  run.trace();
  CHECK(*run.record().tasks[2].started_at() > 40ms);
  CHECK(*run.record().tasks[2].started_at() < 55ms);
}

TEST_CASE("a task keeps the number of its slot over its tries", "[run][pools]") {
  FakeRun run;
  run.options.limits.jobs = 2;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(10ms).ends({Exited{1}, Exited{1}}).retries(2, 5ms);
  for (int i = 0; i < 8; ++i) run.task("t" + std::to_string(i)).takes(std::chrono::milliseconds(3 + i));
  run.trace();
  CHECK(run.slots["a"] == std::vector{1, 1, 1});
}

TEST_CASE("a try that need not wait goes on in the slot that it had", "[run][pools]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.options.order.schedule = Schedule::fifo;
  run.task("a").takes(10ms).ends({Exited{1}}).retries(1, 0ms);
  run.task("b").takes(10ms);
  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a will be tried again in 0 ms\n  10 ms a starts again (2)\n"
        "  20 ms a flaky: passed at attempt 2 of 2\n  20 ms b starts\n  30 ms b passed\n");
  CHECK(run.slots["a"] == std::vector{1, 1});
  CHECK(run.slots["b"] == std::vector{1});
}

TEST_CASE("slots that are set meanwhile hold for what is started from then on", "[run][pools]") {
  FakeRun run;
  run.options.limits = {1, 1, 1};
  run.options.order.schedule = Schedule::fifo;
  for (int i = 0; i < 8; ++i) run.task("t" + std::to_string(i)).takes(10ms);
  run.at(5ms, [](Scheduler& scheduler) { scheduler.set_slots(3); });
  run.at(17ms, [](Scheduler& scheduler) { scheduler.set_slots(1); });
  CHECK(run.trace() ==
        "   0 ms t0 starts\n   5 ms t1 starts\n   5 ms t2 starts\n"
        "  10 ms t0 passed\n  10 ms t3 starts\n  15 ms t1 passed\n  15 ms t2 passed\n"
        "  15 ms t4 starts\n  15 ms t5 starts\n  20 ms t3 passed\n  25 ms t4 passed\n"
        "  25 ms t5 passed\n  25 ms t6 starts\n  35 ms t6 passed\n  35 ms t7 starts\n  45 ms t7 passed\n");
  CHECK(run.record().limits.jobs == 3);
}

namespace {

// Any pools, weights, lone tasks: what each takes is counted while it runs.
void run_random_pools(unsigned seed) {
  std::mt19937 random(seed);
  FakeRun run;
  run.options.limits = {1 + random() % 6, 1 + random() % 4, 1 + random() % 4};
  const std::size_t pools = 1 + random() % 3;
  for (std::size_t i = 0; i < pools; ++i)
    run.options.limits.pools.push_back({"p" + std::to_string(i), 1 + random() % 4});
  struct Taken {
    std::size_t weight = 1;
    bool exclusive = false;
    std::vector<std::size_t> units;
  };
  std::vector<Taken> taken;
  for (std::size_t i = 0, n = 2 + random() % 40; i < n; ++i) {
    Taken& takes = taken.emplace_back();
    auto task = run.task("t" + std::to_string(i)).takes(std::chrono::milliseconds(random() % 20));
    takes.weight = 1 + random() % 3;
    takes.exclusive = random() % 10 == 0;
    task.weight(static_cast<int>(takes.weight));
    if (takes.exclusive) task.exclusive();
    for (std::size_t p = 0; p < pools; ++p) {
      takes.units.push_back(random() % 3 == 0 ? 1 + random() % run.options.limits.pools[p].size : 0);
      if (takes.units[p] > 0) task.pool("p" + std::to_string(p), takes.units[p]);
    }
    for (std::size_t j = 0; j < i; ++j)
      if (random() % 12 == 0) task.needs("t" + std::to_string(j));
  }
  const std::string trace = run.trace();
  CAPTURE(seed, trace);
  const Record& record = run.record();
  CHECK(std::ranges::all_of(record.tasks, [](const TaskRecord& t) { return t.state == State::passed; }));
  for (const TaskRecord& at : record.tasks) {
    const auto now = at.attempts.front().start;
    std::size_t running = 0;
    std::size_t slots = 0;
    bool alone = false;
    std::vector<std::size_t> units(pools);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const AttemptRecord& attempt = record.tasks[i].attempts.front();
      if (attempt.start > now || attempt.start + attempt.length <= now) continue;
      ++running;
      slots += taken[i].weight;
      alone = alone || taken[i].exclusive;
      for (std::size_t p = 0; p < pools; ++p) units[p] += taken[i].units[p];
    }
    if (alone) CHECK(running == 1);
    if (running > 1) CHECK(slots <= run.options.limits.jobs);
    for (std::size_t p = 0; p < pools; ++p) CHECK(units[p] <= run.options.limits.pools[p].size);
  }
}

}  // namespace

TEST_CASE("whatever they take, all of them pass, and no limit is exceeded", "[run][pools]") {
  run_random_pools(GENERATE(range(1u, 200u)));
}

TEST_CASE("that holds for five thousand jobs", "[.slow][run]") {
  for (unsigned seed = 200; seed < 5'200; ++seed) run_random_pools(seed);
}
