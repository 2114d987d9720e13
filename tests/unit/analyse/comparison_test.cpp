#include "core/analyse/comparison.hpp"

#include "tests/unit/analyse/made_run.hpp"
#include "tests/unit/analyse/random_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::Duration;
using gather::analyse::compare;
using gather::analyse::Comparison;
using gather::analyse::Pair;
using gather::analyse::Verdict;
using gather::test::MadeRun;

namespace {

/// Two tasks of `alone` one after the other, against both at once taking `together`.
Pair pair_of(Duration alone, Duration together) {
  MadeRun sync;
  sync.record.limits = {1, 1, 1};
  sync.task("a").is_process().ran(0s, alone);
  sync.task("b").is_process().ran(alone, alone);
  MadeRun async;
  async.task("a").is_process().ran(0s, together);
  async.task("b").is_process().ran(0s, together);
  return {std::move(sync.record), std::move(async.record)};
}

gather::job::Job two_tasks() {
  MadeRun made;
  made.task("a").is_process();
  made.task("b").is_process();
  return std::move(made.job);
}

Comparison compared(std::initializer_list<Duration> together) {
  std::vector<Pair> pairs;
  for (const Duration length : together) pairs.push_back(pair_of(1s, length));
  return compare(two_tasks(), pairs);
}

}  // namespace

TEST_CASE("speed-up is measured; the naive figure overstates it by the contention", "[analyse][comparison]") {
  const Comparison result = compared({1600ms, 1600ms, 1600ms});

  CHECK(result.speedup->mean == Approx(1.25));
  CHECK(result.naive->mean == Approx(2.0));
  CHECK(result.contention->mean == Approx(1.6));
  CHECK(result.sync_factor->mean == Approx(1.0));
  CHECK(result.efficiency->mean == Approx(1.0));
  CHECK(result.bound == gather::analyse::Bound{1600ms, "critical path"});
  CHECK(result.verdict == Verdict::faster);
  CHECK(!result.interval);
}

TEST_CASE("the tasks that lost most are named with their contention", "[analyse][comparison]") {
  MadeRun sync;
  sync.task("steady").ran(0s, 1s);
  sync.task("short").is_process().ran(1s, 10ms);
  sync.task("long").is_process().ran(2s, 2s);
  MadeRun async;
  async.task("steady").ran(0s, 1s);
  async.task("short").is_process().ran(0s, 30ms);
  async.task("long").is_process().ran(0s, 3s);
  const std::vector<Pair> pairs{{sync.record, async.record}};

  const Comparison result = compare(sync.job, pairs);

  REQUIRE(result.slowed.size() == 2);
  CHECK(result.slowed[0].task == sync.id("long"));
  CHECK(result.slowed[0].ratio == Approx(1.5));
  CHECK(result.slowed[0].extra == 1s);
  CHECK(result.slowed[1].task == sync.id("short"));
  REQUIRE(result.kinds.size() == 2);
  CHECK(result.kinds[0].ratio == Approx(3.03 / 2.01));
  CHECK(result.kinds[1].ratio == Approx(1.0));
}

TEST_CASE("from six pairs on the interval decides", "[analyse][comparison]") {
  const Comparison clear = compared({1s, 1010ms, 990ms, 1s, 1005ms, 995ms});
  CHECK(clear.verdict == Verdict::faster);
  CHECK(clear.interval->low > 1.9);
  CHECK(clear.interval->high < 2.1);

  const Comparison unclear = compared({1s, 4s, 1s, 4s, 1s, 4s});
  CHECK(unclear.interval->holds(1));
  CHECK(unclear.verdict == Verdict::none);

  CHECK(compared({4s, 4s, 4s, 4s, 4s, 4s}).verdict == Verdict::slower);
}

TEST_CASE("few pairs decide only if they agree", "[analyse][comparison]") {
  CHECK(compared({3s, 3s}).verdict == Verdict::slower);
  const Comparison mixed = compared({1s, 3s, 1s});
  CHECK(mixed.verdict == Verdict::none);
  CHECK(mixed.faster_pairs == 2);
}

TEST_CASE("a task that failed in one pass leaves no verdict", "[analyse][comparison]") {
  std::vector<Pair> pairs{pair_of(1s, 1s), pair_of(1s, 1s)};
  pairs[1].async.tasks[0].state = gather::run::State::failed;

  const Comparison result = compare(two_tasks(), pairs);

  CHECK(result.verdict == Verdict::incomplete);
  CHECK(result.sync.passed == 2);
  CHECK(result.async.passed == 1);
}

TEST_CASE("passes without time have no ratios", "[analyse][comparison]") {
  MadeRun empty;
  empty.task("done").is_milestone().passed_at(0s);
  const std::vector<Pair> pairs{{empty.record, empty.record}};

  const Comparison result = compare(empty.job, pairs);

  CHECK(!result.speedup);
  CHECK(!result.naive);
  CHECK(!result.contention);
  CHECK(!result.efficiency);
  CHECK(result.kinds.empty());
  CHECK(result.verdict == Verdict::none);
}

TEST_CASE("a wall without task time has a speed-up, and nothing to explain it by", "[analyse][comparison]") {
  MadeRun milestones;
  milestones.task("done").is_milestone().passed_at(0s);
  milestones.record.wall = 1ms;
  const std::vector<Pair> pairs{{milestones.record, milestones.record}};

  const Comparison result = compare(milestones.job, pairs);

  CHECK(result.speedup->mean == Approx(1.0));
  CHECK(!result.contention);
  CHECK(!result.sync_factor);
}

TEST_CASE("speed-up is naive / contention x sync factor, in every pair and over them",
          "[analyse][comparison][property]") {
  const auto seed = GENERATE(range(1u, 101u));
  CAPTURE(seed);
  gather::run::Random random(seed);
  const gather::job::Job job = gather::test::random_job(random);
  std::vector<Pair> pairs;
  for (int i = 0; i < 7; ++i)
    pairs.push_back({gather::test::run_in_virtual_time(job, {1, 1, 1}, random, {}, 0.05),
                     gather::test::run_in_virtual_time(job, {8, 4, 4}, random, {}, 0.05)});

  const Comparison result = compare(job, pairs);

  const double explained =
      result.contention ? result.naive->mean / result.contention->mean * result.sync_factor->mean
                        : result.speedup.value_or(gather::analyse::Ratio{}).mean;  // Nothing but milestones.
  CHECK(result.speedup.value_or(gather::analyse::Ratio{}).mean == Approx(explained).epsilon(1e-12));
  CHECK(result.efficiency.value_or(gather::analyse::Ratio{}).most <= 1);
}
