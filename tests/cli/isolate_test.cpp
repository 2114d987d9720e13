// `isolate: pid`: a PID namespace of its own. Where the system makes none, its tasks fail, and so do these.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

using namespace gather::test;

TEST_CASE("an isolated task ends as it would outside", "[cli][process][isolate]") {
  Gather gather;
  gather.file("gather.yaml",
              "defaults: { isolate: pid }\n"
              "tasks:\n  pid: { shell: 'echo $$' }\n  code: { shell: 'exit 7' }\n"
              "  signal: { shell: 'kill -9 $$' }\n  missing: { run: [there-is-no-such-program] }\n"
              "  folder: { cwd: nowhere, run: [true] }\n  input: { stdin: text, run: [cat] }\n"
              "  stopped: { timeout: 200ms, shell: 'trap \"echo bye; exit 0\" TERM; sleep 60 & wait' }\n"
              "  deaf: { timeout: 200ms, grace: 100ms, shell: 'trap \"\" TERM; sleep 60; sleep 60' }\n");
  const Ending ending = gather.run({"--output", "keep-order", "--report", "json=report.json"});
  CAPTURE(ending.err);
  CHECK(ending.status == 1);
  CHECK(ending.out == "2\ntextbye\n");  // The namespace's first process is its init.
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  const auto& tasks = report["tasks"];
  CHECK(tasks[0]["state"] == "passed");
  CHECK_THAT(ending.err, Catch::Contains("code: exit status 7\n"));
  CHECK_THAT(ending.err, Catch::Contains("signal: killed by SIGKILL\n"));
  CHECK_THAT(ending.err,
             Catch::Contains("missing: can't start: there is no program \"there-is-no-such-program\""));
  CHECK_THAT(ending.err, Catch::Contains("folder: can't start: can't enter the working directory"));
  CHECK(tasks[6]["state"] == "timed_out");
  CHECK_THAT(ending.err, Catch::Contains("deaf: timed out after 200 ms, and was killed after its grace"));
  for (const auto& task : tasks)
    for (const auto& attempt : task["attempts"]) CHECK(!attempt.contains("leaked"));
}

TEST_CASE("without privileges an isolated task is who it was, in a user namespace",
          "[cli][process][isolate]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks: { t: { isolate: pid, shell: 'echo $$; id -u; cat /proc/self/uid_map | wc -l; touch "
              "made' } }\n");
  const std::string with_less = geteuid() == 0 ? "setpriv --bounding-set -sys_admin " : "";
  Program program(
      {{"sh", "-c", fmt::format("exec {}{} -q", with_less, GATHER_PROGRAM)}, gather.folder().path(), {}, ""});
  const Ending ending = program.end();
  CAPTURE(ending.err);
  CHECK(ending.status == 0);
  CHECK(ending.out == fmt::format("2\n{}\n1\n", geteuid()));
  CHECK(gather.folder().has("made"));
}

TEST_CASE("what an isolated task leaves is killed with it, wherever it fled", "[cli][process][isolate]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format(
          "tasks:\n  t: {{ isolate: pid, shell: \"setsid env -i sh -c 'sleep 600; :' {0} & sleep 0.1\" }}\n"
          "  look: {{ needs: t, shell: 'ps -e -o args | grep -c \"[;] : {0}\" || true' }}\n",
          word));
  const Ending ending = gather.run({"--report", "json=report.json"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "0\n");  // Not only at the end of the run.
  CHECK(processes_with(word).empty());
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  CHECK(report["tasks"][0]["attempts"][0]["leaked"] == true);
}

TEST_CASE("isolated, nothing survives even if both halves are killed in the same instant",
          "[cli][process][isolate]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml", fmt::format("tasks:\n  t: {{ isolate: pid, shell: \"setsid sh -c 'sleep 600; :' "
                                         "{} & echo on >&2; sleep 600\" }}\n",
                                         word));
  Program program = gather.start({"--output", "stream"});
  program.wait_for_err("on\n");
  REQUIRE(eventually([&] { return processes_with(word).size() == 2; }));
  pid_t launcher = 0;
  for (const std::string& line : processes_with(fmt::format("--launcher-of {}", program.pid())))
    launcher = std::atoi(line.c_str());
  REQUIRE(launcher > 0);
  // Stopped, neither can do anything about the other's death.
  program.signal(SIGSTOP);
  kill(launcher, SIGSTOP);
  program.signal(SIGKILL);
  kill(launcher, SIGKILL);
  program.end();
  CHECK(eventually([&] { return processes_with(word).empty(); }));
}

TEST_CASE("other ways to start say that they can't isolate", "[cli][process][isolate]") {
  const std::string path = GENERATE("vfork", "fork", "uv");
  Gather gather;
  gather.variable("GATHER_START", path);
  gather.file("gather.yaml", "tasks: { t: { isolate: pid, run: [touch, done] } }\n");
  const Ending ending = gather.run({});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Catch::Contains("which only the launcher makes"));
  CHECK_FALSE(gather.folder().has("done"));
}
