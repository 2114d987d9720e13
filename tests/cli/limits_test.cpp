// Pools, slots that change, a busy machine, and time limits, as a user sees them.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

using namespace gather::test;

namespace {

nlohmann::json report_of(const Gather& gather) {
  return nlohmann::json::parse(gather.folder().read("report.json"));
}

/// The most tasks of a report that ran at the same time, of those whose id begins with `prefix`.
int most_at_once(const nlohmann::json& report, const std::string& prefix) {
  int most = 0;
  for (const auto& at : report["tasks"]) {
    int count = 0;
    for (const auto& task : report["tasks"])
      if (task["id"].get<std::string>().starts_with(prefix) && task["start_ms"] <= at["start_ms"] &&
          task["end_ms"] > at["start_ms"])
        ++count;
    most = std::max(most, count);
  }
  return most;
}

}  // namespace

TEST_CASE("tasks of a pool run as many at once as it has units, and --pool changes that", "[cli][limits]") {
  Gather gather;
  std::string tasks = "limits: { pools: { db: 2 } }\ntasks:\n";
  for (int i = 0; i < 6; ++i) tasks += fmt::format("  db{}: {{ pool: db, sleep: 30ms }}\n", i);
  gather.file("gather.yaml", tasks);
  CHECK(gather.run({"--report", "json=report.json"}).status == 0);
  CHECK(most_at_once(report_of(gather), "db") == 2);
  CHECK(report_of(gather)["limits"]["pools"]["db"] == 2);
  CHECK(report_of(gather)["tasks"][5]["waits"]["pool_ms"] > 0);
  CHECK(gather.run({"--pool", "db=5", "--report", "json=report.json"}).status == 0);
  CHECK(most_at_once(report_of(gather), "db") == 5);
}

TEST_CASE("--pool names a pool of the job, and a size that its tasks can have", "[cli][limits]") {
  Gather gather;
  gather.file("gather.yaml",
              "limits: { pools: { db: 2 } }\ntasks: { a: { pool: { db: 2 }, run: [touch, done] } }\n");
  const auto refused = [&](const std::string& pool) {
    const Ending ending = gather.run({"--pool", pool});
    CHECK(ending.status == 2);
    return ending.err;
  };
  CHECK(refused("d=2") == "gather: --pool: the job has no pool \"d\"; did you mean `db`?\n");
  CHECK(refused("other=2") == "gather: --pool: the job has no pool \"other\"; it has `db`\n");
  CHECK(refused("db=1") ==
        "gather: --pool: task a takes 2 of pool \"db\", and could never start; give the pool more\n");
  CHECK_THAT(refused("db=0"), Catch::Contains("write NAME=N with N of at least 1"));
  CHECK_THAT(refused("db"), Catch::Contains("write NAME=N with N of at least 1"));
  CHECK_FALSE(gather.folder().has("done"));
}

TEST_CASE("an exclusive task runs alone, and a heavy one takes its slots", "[cli][limits]") {
  Gather gather;
  std::string tasks = "limits: { processes: 4 }\ntasks:\n";
  for (int i = 0; i < 4; ++i)
    tasks +=
        fmt::format("  a{0}: {{ run: [sleep, 0.03] }}\n  h{0}: {{ weight: 3, run: [sleep, 0.02] }}\n", i);
  tasks += "  alone: { exclusive: true, priority: 1, needs: a0, run: [sleep, 0.02] }\n";
  gather.file("gather.yaml", tasks);
  CHECK(gather.run({"--report", "json=report.json"}).status == 0);
  const auto report = report_of(gather);
  CHECK(most_at_once(report, "h") == 1);
  const auto& alone = report["tasks"].back();
  for (const auto& task : report["tasks"]) {
    if (task["id"] == "alone") continue;
    CHECK((task["end_ms"] <= alone["start_ms"] || task["start_ms"] >= alone["end_ms"]));
  }
}

TEST_CASE("-j @FILE is read again while the run goes on", "[cli][limits]") {
  const bool each = GENERATE(true, false);
  Gather gather;
  gather.file("slots", "1\n");
  std::string tasks = "tasks:\n";
  for (int i = 0; i < 3; ++i) tasks += fmt::format("  t{}: {{ run: [sh, run.sh] }}\n", i);
  gather.file("gather.yaml", tasks);
  gather.file("run.sh",
              "touch on.$$; until [ -e end ] || [ `ls on.* 2> /dev/null | wc -l` -eq 3 ]; do sleep 0.01; "
              "done; touch end");
  Program program = each ? gather.start({"each", "-v", "-j", "@slots", "sh run.sh {}", ":::", "1", "2", "3"})
                         : gather.start({"-v", "-j", "@slots"});
  program.wait_for_err("start");
  gather.folder().write("slots", "many\n");
  program.wait_for_err("\"many\" is no number of slots");
  gather.folder().write("slots", " 3 \n");
  const Ending ending = program.end();
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(gather.folder().has("end"));
}

TEST_CASE("-j @FILE that says nothing starts nothing", "[cli][limits]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [touch, done] } }\n").file("empty", "").file("zero", "0\n");
  CHECK(gather.run({"-j", "@none"}).err == "gather: --jobs: \"none\": No such file or directory\n");
  CHECK_THAT(gather.run({"-j", "@empty"}).err,
             Catch::Contains("it is empty, and should hold a number of slots"));
  const Ending zero = gather.run({"-j", "@zero"});
  CHECK(zero.status == 2);
  CHECK_THAT(zero.err, Catch::Contains("\"zero\": 0 slots would run nothing"));
  CHECK_FALSE(gather.folder().has("done"));
  CHECK(gather.run({"each", "-j", "@zero", "true", ":::", "1"}).status == 0);  // No limit, as -j 0.
}

TEST_CASE("while the machine is too busy no process starts beside another one", "[cli][limits]") {
  const std::vector<std::string> flag = GENERATE(std::vector<std::string>{"--min-free-mem", "1000T"},
                                                 std::vector<std::string>{"--max-load", "0.5"});
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  busy: { timeout: 300ms, grace: 0, run: [sh, -c, 'while :; do :; done'] }\n"
              "  t1: { run: [sleep, 0.01] }\n  t2: { run: [sleep, 0.01] }\n  s: { sleep: 50ms }\n");
  std::vector<std::string> arguments = flag;
  arguments.insert(arguments.end(), {"--report", "json=report.json"});
  CHECK(gather.run(arguments).status == 1);
  const auto report = report_of(gather);
  CHECK(report["tasks"][0]["state"] == "timed_out");
  CHECK(report["tasks"][1]["start_ms"] >= 300);
  CHECK(report["tasks"][2]["start_ms"] >= 300);
  CHECK(report["tasks"][3]["start_ms"] < 250);
}

TEST_CASE("loads and sizes that are none start nothing", "[cli][limits]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { run: [touch, done] } }\n");
  for (const std::string value : {"0", "-1", "x", "50%%"}) {
    INFO(value);
    const Ending ending = gather.run({"--max-load=" + value});
    CHECK(ending.status == 2);
    CHECK_THAT(ending.err, Catch::Contains("is no load; write a number above 0, or N% of the CPUs"));
  }
  const Ending size = gather.run({"--min-free-mem", "lots"});
  CHECK(size.status == 2);
  CHECK_THAT(size.err, Catch::Contains("--min-free-mem: \"lots\" is no size"));
  CHECK_FALSE(gather.folder().has("done"));
  CHECK(gather.run({"--max-load", "10000%", "--min-free-mem", "1K"}).status == 0);
}

TEST_CASE("--timeout in percent ends what takes much longer than the others", "[cli][limits]") {
  Gather gather;
  const Ending ending =
      gather.run({"each", "-j1", "--timeout", "1000%", "sleep", "{}", ":::", "0.01", "0.01", "0.01", "600"});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Catch::Contains("4 sleep 600: timed out after "));
  for (const std::string value : {"100%", "50%", "x%", "%", "3.5%"}) {
    INFO(value);
    const Ending refused = gather.run({"each", "--timeout", value, "true", ":::", "1"});
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, Catch::Contains("--timeout: ") && Catch::Contains("as in 300%"));
  }
}

TEST_CASE("a task that takes long is said to, and goes on", "[cli][limits]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks:\n  slow: { slow_after: 50ms, run: [sleep, 0.2] }\n  quick: { slow_after: 10s, sleep: 1ms }\n");
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 0);
  CHECK_THAT(ending.err, Catch::StartsWith("slow ") && Catch::EndsWith("slow: still running\n"));
  CHECK(std::ranges::count(ending.err, '\n') == 1);
}

TEST_CASE("only failures of the kinds and exit codes that retry names are tried again", "[cli][limits]") {
  Gather gather;
  gather.file("gather.yaml",
              "defaults: { retry: { attempts: 3, delay: 1ms } }\ntasks:\n"
              "  code:    { retry: { exit_codes: [75, 80] }, shell: 'exit 80' }\n"
              "  other:   { retry: { exit_codes: 75 }, shell: 'exit 3' }\n"
              "  signal:  { retry: { on: signal }, shell: 'kill -KILL $$' }\n"
              "  no_exit: { retry: { on: [signal, timeout] }, shell: 'exit 1' }\n"
              "  timeout: { retry: { on: timeout }, timeout: 20ms, grace: 0, run: [sleep, '600'] }\n"
              "  start:   { retry: { on: start }, run: [no-such-program-at-all] }\n"
              "  none:    { retry: 0, shell: 'exit 1' }\n"
              "  late:    { shell: '[ $GATHER_ATTEMPT = 3 ]' }\n");
  const Ending ending = gather.run({"-q", "--report", "json=report.json"});
  CHECK(ending.status == 1);
  std::string attempts;
  for (const auto& task : report_of(gather)["tasks"])
    attempts += fmt::format("{} {} ", task["id"].get<std::string>(), task["attempts"].size());
  CHECK(attempts == "code 3 other 1 signal 3 no_exit 1 timeout 3 start 3 none 1 late 3 ");
}

TEST_CASE("a task keeps the number of its slot over its tries, and {%} is that number", "[cli][limits]") {
  Gather gather;
  const Ending ending = gather.run({"each", "-j3", "--retries", "3", "--shell",
                                    "echo {#} {%} $GATHER_SLOT >> slots; sleep 0.0{#}; exit $(({#} % 2))",
                                    ":::", "1", "2", "3", "4", "5", "6", "7"});
  CHECK(ending.status == 1);
  std::istringstream lines(gather.folder().read("slots"));
  std::map<int, int> slots;
  int count = 0;
  for (int number = 0, slot = 0, variable = 0; lines >> number >> slot >> variable; ++count) {
    CHECK(slot == variable);
    CHECK(slot >= 1);
    CHECK(slot <= 3);
    CHECK(slots.emplace(number, slot).first->second == slot);
  }
  CHECK(count == 4 * 3 + 3);
}
