#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::test::FakeRun;

namespace {

// Any limits, needs, failures, retries, time limits, a stop at any moment: a failing seed replays.
void run_random_graph(unsigned seed) {
  std::mt19937 random(seed);
  FakeRun run;
  run.options.limits = {1 + random() % 6, 1 + random() % 4, 1 + random() % 4};
  const std::size_t size = 2 + random() % 40;
  for (std::size_t i = 0; i < size; ++i) {
    auto task = run.task("t" + std::to_string(i)).takes(std::chrono::milliseconds(random() % 20));
    if (random() % 3 == 0) task.is_process();
    if (random() % 5 == 0) task.ends({Exited{1}}).retries(static_cast<int>(random() % 2), 5ms);
    if (random() % 7 == 0) task.timeout(10ms);
    for (std::size_t j = 0; j < i; ++j)
      if (random() % 8 == 0) task.needs("t" + std::to_string(j));
  }
  if (random() % 3 == 0)
    run.at(std::chrono::milliseconds(random() % 40), [](Scheduler& s) { s.stop({"interrupted"}); });
  if (random() % 4 == 0) run.options.halt = gather::run::Halt{};

  const std::string trace = run.trace();

  CAPTURE(seed, trace);
  CHECK(run.most_running <= run.options.limits.jobs);
  CHECK(run.endings == std::vector<int>(size, 1));
  CHECK(std::ranges::all_of(run.record().tasks, [](const TaskRecord& t) { return is_ending(t.state); }));
}

}  // namespace

TEST_CASE("every task of a random graph ends in exactly one state, within its limits", "[run][scheduler]") {
  run_random_graph(GENERATE(range(1u, 200u)));
}

TEST_CASE("the same holds for twenty thousand graphs", "[.slow][run]") {
  for (unsigned seed = 200; seed < 20'200; ++seed) run_random_graph(seed);
}
