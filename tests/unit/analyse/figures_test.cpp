#include "core/analyse/figures.hpp"

#include "tests/unit/analyse/made_run.hpp"
#include "tests/unit/analyse/random_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::Duration;
using gather::analyse::Bound;
using gather::analyse::Figures;
using gather::analyse::figures;
using gather::test::MadeRun;

TEST_CASE("three sleeps at once are bound by the longest of them", "[analyse][figures]") {
  MadeRun run;
  run.task("a").ran(0s, 2s);
  run.task("b").ran(0s, 2s);
  run.task("c").ran(0s, 4s);

  const Figures result = figures(run.job, run.record);

  CHECK(result.wall == 4s);
  CHECK(result.sum == 8s);
  CHECK(result.naive_concurrency == 2.0);
  CHECK(result.critical.tasks == std::vector{run.id("c")});
  CHECK(result.bound == Bound{4s, "critical path"});
  CHECK(result.efficiency == 1.0);
  CHECK(result.slowest == std::vector{run.id("c"), run.id("a"), run.id("b")});
}

TEST_CASE("the binding term is the largest of path, slots, processes and fetches", "[analyse][figures]") {
  MadeRun run;
  run.task("a").ran(0s, 2s);
  run.task("b").is_process().ran(0s, 4s);
  run.task("c").is_process().ran(4s, 4s);
  run.task("d").is_fetch().ran(0s, 5s);
  run.task("e").is_fetch().ran(5s, 5s);
  const auto bound = [&](std::size_t jobs, std::size_t processes, std::size_t fetches) {
    run.record.limits = {jobs, processes, fetches};
    return figures(run.job, run.record).bound;
  };
  CHECK(bound(8, 8, 8) == Bound{5s, "critical path"});
  CHECK(bound(2, 2, 2) == Bound{10s, "jobs=2"});
  CHECK(bound(8, 1, 8) == Bound{8s, "processes=1"});
  CHECK(bound(8, 1, 1) == Bound{10s, "fetches=1"});
  CHECK(bound(1, 1, 1) == Bound{20s, "jobs=1"});
}

TEST_CASE("the critical path runs through milestones without naming them", "[analyse][figures]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 3s);
  run.task("both").is_milestone().needs({"a", "b"}).passed_at(3s);
  run.task("c").needs({"both"}).ran(3s, 1s);

  const Figures result = figures(run.job, run.record);

  CHECK(result.critical.length == 4s);
  CHECK(result.critical.tasks == std::vector{run.id("b"), run.id("c")});
}

TEST_CASE("only the last attempt of a task counts, and what was skipped does not", "[analyse][figures]") {
  MadeRun run;
  run.task("a").ran(0s, 5s, gather::run::Exited{1}).ran(6s, 1s, gather::run::Exited{1});
  run.task("b").ran(0s, 9s);
  run.task("c").needs({"a", "b"}).skipped_at(7s, "a");
  run.task("d").needs({"c"}).skipped_at(7s, "c");

  const Figures result = figures(run.job, run.record);

  CHECK(result.sum == 10s);
  CHECK(result.critical.tasks == std::vector{run.id("b")});
  CHECK(result.critical.length == 9s);
}

TEST_CASE("a need that had not ended when the task began is no part of its chain", "[analyse][figures]") {
  MadeRun run;
  run.task("service").ran(0s, 10s);
  run.task("user").needs({"service"}).ran(2s, 3s);
  CHECK(figures(run.job, run.record).critical.length == 10s);
}

TEST_CASE("a run that took no time has no concurrency and no efficiency", "[analyse][figures]") {
  MadeRun run;
  run.task("a").ran(0s, 0s);
  run.task("b").is_milestone().needs({"a"}).passed_at(0s);

  const Figures result = figures(run.job, run.record);

  CHECK(!result.naive_concurrency);
  CHECK(!result.efficiency);
  CHECK(!result.median_task);
  CHECK(result.bound == Bound{});
  CHECK(result.slowest.empty());
}

TEST_CASE("a job without tasks has figures of nothing", "[analyse][figures]") {
  const MadeRun run;
  CHECK(figures(run.job, run.record).bound == Bound{});
}

TEST_CASE("a plan is bound as a run of the expected lengths would be", "[analyse][figures]") {
  MadeRun run;
  run.task("a");
  run.task("b").is_process();
  run.task("c").needs({"a"});
  const std::vector<Duration> expected{1s, 7s, 2s};

  const auto plan = gather::analyse::plan_bounds(run.job, expected, {2, 1, 1});

  CHECK(plan.sum == 10s);
  CHECK(plan.critical.tasks == std::vector{run.id("b")});
  CHECK(plan.bound == Bound{7s, "critical path"});
}

TEST_CASE("the places of a host and its rate bind, each host by itself", "[analyse][figures]") {
  MadeRun run;
  for (int i = 0; i < 4; ++i) run.task("a" + std::to_string(i)).is_fetch();
  const std::vector<Duration> expected{1s, 1s, 1s, 1s};
  gather::run::LimitsInForce limits{64, 64, 64, {{.max = 2}}};
  CHECK(gather::analyse::plan_bounds(run.job, expected, limits).bound == Bound{2s, "localhost:80=2"});
  limits.hosts[0].rate = gather::job::Rate{1, 1s};
  CHECK(gather::analyse::plan_bounds(run.job, expected, limits).bound == Bound{3s, "localhost:80 at 1/s"});
}

TEST_CASE("tasks with mirrors bind no host, as nobody knows which one serves them",
          "[analyse][figures][mirror]") {
  MadeRun run;
  for (int i = 0; i < 4; ++i) {
    run.task("a" + std::to_string(i)).is_fetch();
    auto fetch = std::make_unique<gather::job::Fetch>();
    fetch->url = "http://localhost/";
    fetch->mirrors = {"http://b.test/"};
    run.job.tasks.back().action = std::move(fetch);
  }
  const std::vector<Duration> expected{1s, 1s, 1s, 1s};
  const gather::run::LimitsInForce limits{64, 64, 64, {{.max = 1}}};
  CHECK(gather::analyse::plan_bounds(run.job, expected, limits).bound == Bound{1s, "critical path"});
}

TEST_CASE("sums stay at the largest duration instead of overflowing", "[analyse][figures]") {
  const std::vector<Duration> lengths(100, gather::longest_duration);
  CHECK(gather::analyse::saturating_sum(lengths) == Duration::max());
}

TEST_CASE("no run is shorter than its lower bound", "[analyse][figures][property]") {
  const auto seed = GENERATE(range(1u, 301u));
  CAPTURE(seed);
  gather::run::Random random(seed);
  const gather::job::Job job = gather::test::random_job(random);
  gather::run::LimitsInForce limits{1 + random() % 8, 1 + random() % 4, 1 + random() % 4};
  gather::job::HostLimit every_host{.max = 1 + random() % 3};
  if (seed % 3 == 0) every_host.rate = gather::job::Rate{static_cast<std::uint32_t>(20 + random() % 300)};
  if (seed % 2 == 0) limits.hosts = {every_host};
  const std::optional<Duration> deadline =
      seed % 4 == 0 ? std::optional<Duration>(random() % 100'000'000 * 1ns) : std::nullopt;
  const auto record = gather::test::run_in_virtual_time(job, limits, random, deadline, 0.2);

  const Figures result = figures(job, record);

  CHECK(result.bound.length <= result.wall);
  CHECK(result.critical.length <= result.wall);
  CHECK(result.efficiency.value_or(1) <= 1);
  Duration chain{};
  for (const auto id : result.critical.tasks) chain += record[id].length();
  CHECK(chain == result.critical.length);
}
