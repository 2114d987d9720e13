#include "core/report/json.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace std::chrono_literals;
using gather::test::MadeRun;
using nlohmann::json;

namespace {

std::string report(const MadeRun& run) {
  return gather::report::to_json(run.job, run.record, gather::analyse::figures(run.job, run.record), "1.2.3");
}

}  // namespace

TEST_CASE("the report has the whole record, with units in the names of its keys", "[report][json]") {
  MadeRun run;
  run.job.directory = "/work";
  run.record.run_id = "r1";
  run.record.began = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + 3h + 4ms;
  run.record.exit = gather::ExitStatus::task_failed;
  run.record.lag = {.p50 = 100us, .p99 = 400us, .most = 1ms};
  run.task("build").is_process().ran(0s, 1500ms);
  run.task("test")
      .needs({"build"})
      .ran(1500ms, 500ms, gather::run::Exited{3})
      .ran(3s, 1s, gather::run::Exited{3});
  run.record.tasks[0].attempts[0].usage = gather::run::Usage{20ms, 10ms, 4096};
  run.record.tasks[1].released_by = run.id("build");
  run.task("deploy").needs({"test"}).skipped_at(4s, "test");

  CHECK(report(run) == R"({
  "schema": 1,
  "gather": "1.2.3",
  "job": {
    "name": "made",
    "directory": "/work"
  },
  "run": {
    "id": "r1",
    "began": "2026-01-02T03:00:00.004Z",
    "stopped": null,
    "left_running": []
  },
  "limits": {
    "jobs": 64,
    "processes": 4,
    "fetches": 32
  },
  "counts": {
    "tasks": 3,
    "passed": 1,
    "flaky": 0,
    "failed": 1,
    "timed_out": 0,
    "cancelled": 0,
    "skipped": 1
  },
  "figures": {
    "wall_ms": 4000.0,
    "sum_ms": 2500.0,
    "naive_concurrency": 0.625,
    "critical_path": {
      "ms": 2500.0,
      "tasks": [
        "build",
        "test"
      ]
    },
    "bound": {
      "ms": 2500.0,
      "by": "critical path"
    },
    "efficiency": 0.625,
    "slowest": [
      "build",
      "test"
    ]
  },
  "loop_lag": {
    "p50_ms": 0.1,
    "p99_ms": 0.4,
    "max_ms": 1.0
  },
  "exit": 1,
  "tasks": [
    {"id":"build","kind":"run","state":"passed","reason":null,"cause":null,"needs":[],"released_by":null,"ready_ms":0.0,"start_ms":0.0,"end_ms":1500.0,"duration_ms":1500.0,"slot":1,"waits":{"dependency_ms":0.0,"delay_ms":0.0,"slot_ms":0.0,"host_ms":0.0,"rate_ms":0.0,"pool_ms":0.0,"retry_ms":0.0},"attempts":[{"number":1,"start_ms":0.0,"duration_ms":1500.0,"outcome":{"kind":"passed","text":"passed"},"usage":{"user_ms":20.0,"system_ms":10.0,"peak_memory_bytes":4096}}]},
    {"id":"test","kind":"sleep","state":"failed","reason":"exit status 3","cause":null,"needs":["build"],"released_by":"build","ready_ms":1500.0,"start_ms":1500.0,"end_ms":4000.0,"duration_ms":1000.0,"slot":1,"waits":{"dependency_ms":1500.0,"delay_ms":0.0,"slot_ms":0.0,"host_ms":0.0,"rate_ms":0.0,"pool_ms":0.0,"retry_ms":1000.0},"attempts":[{"number":1,"start_ms":1500.0,"duration_ms":500.0,"outcome":{"kind":"exited","code":3,"text":"exit status 3"}},{"number":2,"start_ms":3000.0,"duration_ms":1000.0,"outcome":{"kind":"exited","code":3,"text":"exit status 3"}}]},
    {"id":"deploy","kind":"sleep","state":"skipped","reason":"test failed","cause":"test","needs":["test"],"released_by":null,"ready_ms":null,"start_ms":null,"end_ms":4000.0,"duration_ms":null,"slot":null,"waits":{"dependency_ms":null,"delay_ms":null,"slot_ms":null,"host_ms":null,"rate_ms":null,"pool_ms":null,"retry_ms":0.0},"attempts":[]}
  ]
}
)");
}

TEST_CASE("every outcome is an object that says what kind it is", "[report][json]") {
  using namespace gather::run;
  const std::vector<std::pair<Outcome, json>> outcomes{
      {Signalled{11, true}, {{"kind", "signalled"}, {"signal", 11}, {"core_dumped", true}}},
      {TimedOut{2s, true}, {{"kind", "timed_out"}, {"limit_ms", 2000.0}, {"killed", true}}},
      {NotStarted{"no program foo"}, {{"kind", "not_started"}, {"why", "no program foo"}}},
      {UnexpectedStatus{503, "busy", 5s},
       {{"kind", "unexpected_status"}, {"status", 503}, {"detail", "busy"}, {"retry_after_ms", 5000.0}}},
      {UnexpectedStatus{404, "", {}},
       {{"kind", "unexpected_status"}, {"status", 404}, {"detail", ""}, {"retry_after_ms", nullptr}}},
      {TransferFailed{"dns", "no such host"},
       {{"kind", "transfer_failed"}, {"what", "dns"}, {"why", "no such host"}}},
      {NotAsExpected{"no"}, {{"kind", "not_as_expected"}, {"why", "no"}}},
      {ChecksumMismatch{"aa", "bb"}, {{"kind", "checksum_mismatch"}, {"expected", "aa"}, {"actual", "bb"}}},
      {LocalFailure{"disk full"}, {{"kind", "local_failure"}, {"why", "disk full"}}},
      {Stopped{"interrupted", false}, {{"kind", "stopped"}, {"why", "interrupted"}, {"killed", false}}}};
  MadeRun run;
  for (const auto& [outcome, object] : outcomes)
    run.task("t" + std::to_string(run.job.tasks.size())).ran(0s, 1s, outcome);

  const json document = json::parse(report(run));

  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    json expected = outcomes[i].second;
    expected["text"] = describe(outcomes[i].first);
    CHECK(document["tasks"][i]["attempts"][0]["outcome"] == expected);
  }
}

TEST_CASE("a report is valid JSON in UTF-8 whatever the names and reasons hold", "[report][json]") {
  MadeRun run;
  run.job.name = "na\xffme\n\"";
  run.job.directory = std::string("/tmp/\xc3(");
  run.task("a\xe2\x80").ran(0s, 1s, gather::run::LocalFailure{"\x80\x1b[0m"});

  const json document = json::parse(report(run));

  CHECK(document["job"]["name"] == "na\ufffdme\n\"");
  CHECK(document["tasks"][0]["reason"] == "\ufffd\x1b[0m");
}

TEST_CASE("a report of no tasks and no time is valid, and has null for what can't be computed",
          "[report][json]") {
  const MadeRun run;
  const json document = json::parse(report(run));
  CHECK(document["figures"]["efficiency"] == nullptr);
  CHECK(document["tasks"] == json::array());
}

TEST_CASE("a large report comes in pieces", "[report][json]") {
  MadeRun run;
  for (int i = 0; i < 2'000; ++i) run.task("t" + std::to_string(i)).ran(0s, 1s);
  std::size_t pieces = 0;
  std::size_t largest = 0;
  std::string text;
  gather::report::write_json(run.job, run.record, gather::analyse::figures(run.job, run.record), "1",
                             [&](std::string_view piece) {
                               ++pieces;
                               largest = std::max(largest, piece.size());
                               text += piece;
                             });
  CHECK(pieces > 5);
  CHECK(largest < 80 * 1024);
  CHECK(json::parse(text)["tasks"].size() == 2'000);
}
