#include "core/report/comparison.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
using gather::analyse::Pair;
using gather::report::comparison_csv;
using gather::report::comparison_json;
using gather::report::comparison_text;
using gather::test::MadeRun;

namespace {

MadeRun pass(bool sync, gather::Duration together) {
  MadeRun run;
  run.job.name = "samples/build.yaml";
  if (sync) run.record.limits = {1, 1, 1};
  const auto begin = [&](gather::Duration when) { return sync ? when : 0s; };
  run.task("load").is_process().ran(0s, sync ? 1s : together);
  run.task("test").is_process().ran(begin(1s), sync ? 1s : 1100ms);
  run.task("wait").ran(begin(2s), 1s);
  if (sync) run.record.wall += 30ms;
  return run;
}

std::vector<Pair> pairs_of(std::initializer_list<gather::Duration> together) {
  std::vector<Pair> pairs;
  for (const gather::Duration length : together)
    pairs.push_back({pass(true, length).record, pass(false, length).record});
  return pairs;
}

std::string text_of(std::initializer_list<gather::Duration> together) {
  const auto pairs = pairs_of(together);
  const auto job = pass(true, 1s).job.tasks.size() ? pass(true, 1s) : MadeRun();
  return comparison_text(job.job, gather::analyse::compare(job.job, pairs), 41);
}

}  // namespace

TEST_CASE("a comparison prints what was measured, what it hides, and what bounds it",
          "[report][comparison]") {
  CHECK(text_of({1500ms, 1600ms, 1400ms}) ==
        "compare samples/build.yaml   3 pairs, interleaved, seed 41\n"
        "  sync    3.03 s  (3.03 s to 3.03 s)      3/3 passed  one at a time\n"
        "  async   1.50 s  (1.40 s to 1.60 s)      3/3 passed  jobs=64 processes=4 fetches=32\n"
        "  measured speed-up 2.02x   (1.89x to 2.16x)\n"
        "  naive 2.40x / contention 1.20x   (processes 1.30x, sleeps 1.00x)\n"
        "  most slowed: load 1.50x, test 1.10x\n"
        "  identity: speed-up 2.023 = naive 2.403 / contention 1.200 × sync wall per task time 1.010\n"
        "  bound 1.50 s from critical path; async reached 100 % of the possible\n"
        "  concurrent was faster in all 3 pairs; an interval needs --runs 6\n");
}

TEST_CASE("from six pairs on the verdict is the interval's", "[report][comparison]") {
  const std::string text = text_of({1500ms, 1600ms, 1400ms, 1500ms, 1600ms, 1400ms});
  CHECK_THAT(text, Catch::Contains("  measured speed-up 2.02x   (95 %: 1.90x to 2.15x)\n"));
  CHECK_THAT(text, Catch::EndsWith("  concurrent is faster: the 95 % interval leaves 1 out\n"));
  CHECK_THAT(text_of({1s, 9s, 1s, 9s, 1s, 9s}), Catch::EndsWith("  no verdict: the 95 % interval holds 1\n"));
}

TEST_CASE("one pair has no range", "[report][comparison]") {
  const std::string text = text_of({1500ms});
  CHECK_THAT(text,
             Catch::StartsWith("compare samples/build.yaml   1 pair, seed 41\n"
                               "  sync    3.03 s                          3/3 passed  one at a time\n"));
  CHECK_THAT(text, Catch::EndsWith("  concurrent was faster in the one pair; an interval needs --runs 6\n"));
}

TEST_CASE("passes that did different work get no verdict", "[report][comparison]") {
  const MadeRun run = pass(true, 1s);
  auto pairs = pairs_of({1s});
  pairs[0].async.tasks[0].state = gather::run::State::failed;
  CHECK_THAT(comparison_text(run.job, gather::analyse::compare(run.job, pairs), {}),
             Catch::EndsWith(
                 "  no verdict: not every task passed in every pass, so the passes did different work\n"));
}

TEST_CASE("a comparison of nothing prints no figure that is not one", "[report][comparison]") {
  MadeRun run;
  run.task("done").is_milestone().passed_at(0s);
  const std::vector<Pair> pairs{{run.record, run.record}};
  const auto comparison = gather::analyse::compare(run.job, pairs);
  CHECK(comparison_text(run.job, comparison, {}) ==
        "compare made   1 pair\n"
        "  sync      0 ms                          1/1 passed  jobs=64 processes=4 fetches=32\n"
        "  async     0 ms                          1/1 passed  jobs=64 processes=4 fetches=32\n"
        "  no speed-up can be computed: a pass took no time\n"
        "  no verdict: there is nothing to divide by\n");
  CHECK(nlohmann::json::parse(comparison_json(run.job, pairs, comparison, {}))["speedup"] == nullptr);
}

TEST_CASE("the JSON of a comparison has every pass and every figure", "[report][comparison]") {
  const MadeRun run = pass(true, 1s);
  const auto pairs = pairs_of({1500ms, 1600ms, 1400ms});
  const auto document =
      nlohmann::json::parse(comparison_json(run.job, pairs, gather::analyse::compare(run.job, pairs), 41));

  CHECK(document["schema"] == 1);
  CHECK(document["seed"] == 41);
  CHECK(document["pairs"].size() == 3);
  CHECK(document["pairs"][0]["sync"]["wall_ms"] == 3030.0);
  CHECK(document["pairs"][0]["async"]["tasks"][0] ==
        nlohmann::json{{"id", "load"}, {"state", "passed"}, {"duration_ms", 1500.0}});
  CHECK(document["speedup"]["median"] == Approx(2.02));
  CHECK(document["speedup"]["min"] == Approx(3.03 / 1.6));
  CHECK(document["speedup"]["max"] == Approx(3.03 / 1.4));
  CHECK(document["speedup"]["interval_95"] == nullptr);
  CHECK(document["bound"] == nlohmann::json{{"ms", 1500.0}, {"by", "critical path"}});
  CHECK(document["efficiency"] == Approx(1.0));
  CHECK(document["speedup"]["geometric_mean"].get<double>() ==
        Approx(document["naive"].get<double>() / document["contention"].get<double>() *
               document["sync_factor"].get<double>()));
  CHECK(document["verdict"] == "faster");
}

TEST_CASE("the CSV of a comparison has a row for each task in each pass", "[report][comparison]") {
  MadeRun run;
  run.task("a,b").ran(0s, 1s);
  CHECK(comparison_csv(run.job, std::vector<Pair>{{run.record, run.record}}) ==
        "pair,pass,task,state,duration_ms\r\n"
        "1,sync,\"a,b\",passed,1000\r\n"
        "1,async,\"a,b\",passed,1000\r\n");
}
