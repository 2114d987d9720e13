#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>

using namespace gather::test;

namespace {

// Tasks that say when they run, and carry a word by which their processes can be found: one that obeys, one
// that has a child in its group, one that ignores what is polite.
std::string long_job(const std::string& word) {
  return fmt::format(R"(
defaults: {{ grace: 300ms }}
tasks:
  plain:    {{ run: [sh, -c, "touch plain.on; exec sleep 600", {0}] }}
  family:   {{ run: [sh, -c, "sh -c 'sleep 600; :' {0} & touch family.on; wait", {0}] }}
  stubborn: {{ run: [sh, -c, "trap '' INT TERM HUP; touch stubborn.on; while :; do sleep 0.05; done", {0}] }}
  waiting:  {{ needs: plain, run: [echo, never] }}
)",
                     word);
}

void wait_until_running(const Gather& gather) {
  REQUIRE(eventually([&] {
    return gather.folder().has("plain.on") && gather.folder().has("family.on") &&
           gather.folder().has("stubborn.on");
  }));
}

}  // namespace

TEST_CASE("a signal ends the run, leaves no process, and is the program's own end", "[cli][stop]") {
  const auto [number, status, word_for_it] = GENERATE(table<int, int, std::string>(
      {{SIGINT, 130, "interrupted"}, {SIGTERM, 143, "terminated"}, {SIGHUP, 129, "hung up"}}));
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml", long_job(word));
  Program program = gather.start({"--report", "json=report.json"});
  wait_until_running(gather);

  program.signal(number);
  const Ending ending = program.end();

  CHECK(ending.status == status);
  CHECK(ending.signalled);
  CHECK(processes_with(word) == std::vector<std::string>{});
  CHECK_THAT(ending.err, Catch::Contains("stopped: " + word_for_it));
  CHECK_THAT(ending.err, Catch::Contains("stubborn: " + word_for_it + ", and was killed after its grace"));
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  for (const auto& task : report["tasks"]) CHECK(task["state"] == "cancelled");
}

TEST_CASE("SIGUSR2 prints the tree of coroutines, and the run goes on", "[cli][stop]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  t: { run: [sh, -c, 'touch on; until test -e go; do sleep 0.01; done'] }\n");
  Program program = gather.start({});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));

  program.signal(SIGUSR2);
  program.wait_for_err("task main");
  program.wait_for_err("run_process");
  gather.file("go", "");

  CHECK(program.end().status == 0);
}

TEST_CASE("a second signal kills at once", "[cli][stop]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n  t: {{ grace: 1h, run: [sh, -c, \"trap '' INT; touch on; while :; do sleep 0.05; "
                  "done\", {}] }}\n",
                  word));
  Program program = gather.start({});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));

  program.signal(SIGINT);
  program.wait_for_err("stopping");
  program.signal(SIGINT);

  CHECK(program.end().status == 130);
  CHECK(processes_with(word).empty());
}

TEST_CASE("B34: an interrupt works although a script started gather with &", "[cli][stop]") {
  // A shell without job control starts background commands with INT and QUIT ignored.
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml", long_job(word));
  Program script(
      {{"sh", "-c",
        std::string(GATHER_PROGRAM) + " & pid=$!; while [ ! -e stubborn.on ]; do sleep 0.02; done; "
                                      "kill -INT $pid; wait $pid; echo status $?"},
       gather.folder().path(),
       {},
       ""});
  const Ending ending = script.end();
  CHECK(ending.out == "status 130\n");
  CHECK(processes_with(word).empty());
}

TEST_CASE("B34: hang-up stays ignored when it was ignored before", "[cli][stop]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  t: { run: [sh, -c, 'touch on; while [ ! -e off ]; do sleep 0.02; done'] }\n");
  Program program({{"nohup", GATHER_PROGRAM}, gather.folder().path(), {}, ""});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));
  program.signal(SIGHUP);
  gather.folder().write("off", "");
  CHECK(program.end().status == 0);
}

TEST_CASE("the run's deadline stops it with status 124", "[cli][stop]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml", fmt::format("tasks:\n  t: {{ run: [sh, -c, 'exec sleep 600', {}] }}\n", word));
  const Ending ending = gather.run({"--deadline", "200ms"});
  CHECK(ending.status == 124);
  CHECK_THAT(ending.err, Catch::Contains("the run's deadline passed"));
  CHECK(processes_with(word).empty());
}

TEST_CASE("fail-fast stops what runs at the first failure", "[cli][stop]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n  long: {{ run: [sh, -c, 'touch on; exec sleep 600', {}] }}\n"
                          "  bad: {{ run: [sh, -c, 'while [ ! -e on ]; do sleep 0.02; done; exit 4'] }}\n",
                          word));
  const Ending ending = gather.run({"--fail-fast"});
  CHECK(ending.status == 1);
  CHECK(processes_with(word).empty());
}

TEST_CASE("the signal that came is the one that tasks get", "[cli][stop]") {
  const auto [number, name] =
      GENERATE(table<int, std::string>({{SIGINT, "INT"}, {SIGTERM, "TERM"}, {SIGHUP, "HUP"}}));
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n  t: { shell: \"for s in INT TERM HUP; do trap \\\"echo got $s; exit 1\\\" $s; done; "
              "touch on; "
              "while :; do sleep 0.02; done\" }\n");
  Program program = gather.start({});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));
  program.signal(number);
  CHECK(program.end().out == "got " + name + "\n");
}
