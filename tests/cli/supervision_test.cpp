// Programs that are hard to supervise, as a user's tasks; the numbers are the catalogue's.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace gather::test;

namespace {

nlohmann::json report_of(const Gather& gather) {
  return nlohmann::json::parse(gather.folder().read("report.json"));
}

}  // namespace

TEST_CASE("A5: a daemon is ended with the run, and its task is told as the one that left it",
          "[cli][process]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n  quiet: {{ run: [echo, hi] }}\n"
                  "  loud: {{ needs: quiet, run: [sh, -c, \"setsid sh -c 'sleep 600; :' {} >/dev/null 2>&1 "
                  "& sleep 0.1\"] }}\n",
                  word));
  const Ending ending = gather.run({"--report", "json=report.json"});
  CHECK(ending.status == 0);
  CHECK_THAT(ending.err, Catch::Contains("loud left processes behind, which were ended\n"));
  CHECK(processes_with(word).empty());
  const auto report = report_of(gather);
  CHECK(!report["tasks"][0]["attempts"][0].contains("leaked"));
  CHECK(report["tasks"][1]["state"] == "passed");
  CHECK(report["tasks"][1]["attempts"][0]["leaked"] == true);
}

TEST_CASE("A22: one that forks and flees without end is caught all the same", "[cli][process]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n  t: {{ run: [{}, hopping, {}] }}\n", CHILD_SHAPE_PROGRAM, word));
  const Ending ending = gather.run({});
  CHECK(ending.status == 0);
  CHECK_THAT(ending.err, Catch::Contains("t left processes behind, which were ended\n"));
  CHECK(processes_with(word).empty());
}

TEST_CASE("A27: a task that kills who started it ends the run with status 70, and everything with it",
          "[cli][process]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format(
          "tasks:\n  other: {{ run: [sh, -c, \"setsid sh -c 'sleep 600; :' {0} & touch on; wait\"] }}\n"
          "  bad: {{ run: [sh, -c, 'while [ ! -e on ]; do sleep 0.01; done; kill -9 $PPID; sleep 600'"
          ", {0}] }}\n",
          word));
  const Ending ending = gather.run({"--report", "json=report.json"});
  CHECK(ending.status == 70);
  CHECK_THAT(ending.err,
             Catch::Contains("(the launcher, ") && Catch::Contains("was killed by signal 9 (Killed)"));
  CHECK(processes_with(word).empty());
  for (const auto& task : report_of(gather)["tasks"])
    CHECK((task["state"] == "failed" || task["state"] == "cancelled"));
}

TEST_CASE("a task that stops who started it holds nothing up for long", "[cli][process]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  bad: { run: [sh, -c, 'kill -STOP $PPID; echo stopped'] }\n"
              "  after: { needs: bad, run: [echo, after] }\n");
  const Ending ending = gather.run({});
  CHECK(ending.status == 0);
  CHECK(ending.out == "stopped\nafter\n");
}

TEST_CASE("A13: what no process can take fails its task, with the size, and no other", "[cli][process]") {
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n  long: {{ run: [echo, \"{}\"] }}\n  short: {{ run: [echo, fine] }}\n",
                          std::string(200'000, 'x')));
  const Ending ending = gather.run({});
  CHECK(ending.status == 1);
  CHECK(ending.out == "fine\n");
  CHECK_THAT(ending.err, Catch::Contains("longer than one process can take (131072 bytes at most)"));
}

TEST_CASE("A20: a program that asks on the terminal finds none, and does not hang", "[cli][process]") {
  Gather gather;
  gather.file("gather.yaml", "tasks:\n  t: { run: [sh, -c, 'read password < /dev/tty'] }\n");
  const Ending ending = gather.run({});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, Catch::Contains("/dev/tty"));
}

TEST_CASE("A24: thousands of programs leave no zombie", "[.slow][cli][process]") {
  std::string text = "limits: { processes: 8 }\ntasks:\n";
  for (int i = 0; i < 10'000; ++i) text += fmt::format("  t{}: {{ run: ['true'] }}\n", i);
  text += "  last: { needs: [";
  for (int i = 0; i < 10'000; ++i) text += fmt::format("{}t{}", i == 0 ? "" : ", ", i);
  // The parent of a task is the launcher, whose children are this one alone.
  text += "], run: [sh, -c, 'cat /proc/$PPID/task/*/children; echo $$'] }\n";
  Gather gather;
  gather.file("gather.yaml", text);
  const Ending ending = gather.run({"-q"});
  CHECK(ending.status == 0);
  const std::string pid = ending.out.substr(0, ending.out.find(' '));
  CHECK(ending.out == fmt::format("{0} {0}\n", pid));
}
