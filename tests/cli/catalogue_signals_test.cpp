// The catalogue of faults, B: signals and terminals, each with the exact outcome that its user sees. What is
// not here has its number at the test that shows it.
#include "tests/cli/program.hpp"
#include "tests/cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <sstream>

using namespace gather::test;

namespace {

using Json = nlohmann::json;

std::string running_and_waiting(const std::string& word) {
  return fmt::format(
      "defaults: {{ grace: 300ms }}\ntasks:\n"
      "  done:    {{ run: [\"true\"] }}\n"
      "  runs:    {{ needs: done, run: [sh, -c, 'touch on; exec sleep 600', {0}] }}\n"
      "  deaf:    {{ needs: done, run: [sh, -c, \"trap '' INT TERM HUP; touch deaf; while :; do sleep "
      "0.05; done\", {0}] }}\n"
      "  waits:   {{ needs: runs, run: [echo, never] }}\n",
      word);
}

std::string states_in(const Gather& gather) {
  std::string states;
  const Json report = Json::parse(gather.folder().read("report.json"));
  for (const auto& task : report["tasks"]) states += task["state"].get<std::string>() + " ";
  return states;
}

}  // namespace

TEST_CASE("B29: after a signal every task has its one final state, and the status is the signal's",
          "[cli][catalogue]") {
  const auto [number, times, status] = GENERATE(
      table<int, int, int>({{SIGINT, 1, 130}, {SIGINT, 2, 130}, {SIGTERM, 1, 143}, {SIGHUP, 1, 129}}));
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml", running_and_waiting(word));
  Program program = gather.start({"--report", "json=report.json"});
  REQUIRE(eventually([&] { return gather.folder().has("on") && gather.folder().has("deaf"); }));
  program.signal(number);
  if (times == 2) {
    program.wait_for_err("stopping");
    program.signal(number);
  }
  const Ending ending = program.end();
  CHECK(ending.status == status);
  CHECK(ending.signalled);
  CHECK(states_in(gather) == "passed cancelled cancelled cancelled ");
  CHECK(processes_with(word).empty());
}

TEST_CASE("B29: QUIT ends gather at once, and what it ran with it", "[cli][catalogue]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file("gather.yaml", running_and_waiting(word));
  Program program(
      {{"sh", "-c", fmt::format("ulimit -c 0; exec {}", GATHER_PROGRAM)}, gather.folder().path(), {}, ""});
  REQUIRE(eventually([&] { return gather.folder().has("on") && gather.folder().has("deaf"); }));
  program.signal(SIGQUIT);
  CHECK(program.end().status == 131);
  CHECK(eventually([&] { return processes_with(word).empty(); }));
}

TEST_CASE("B30: an interrupt while the job file is read starts nothing", "[cli][catalogue]") {
  Gather gather;
  REQUIRE(mkfifo((gather.folder().path() / "job.yaml").c_str(), 0600) == 0);
  Program program = gather.start({"job.yaml"});
  REQUIRE(eventually([&] { return !processes_with("job.yaml").empty(); }));
  program.signal(SIGINT);
  CHECK(program.end().status == 130);
}

TEST_CASE("B30: an interrupt at any moment leaves no half-written line in the job log", "[cli][catalogue]") {
  Gather gather;
  for (const int after : {0, 1, 3, 10, 30, 100}) {
    Program program(
        {{"sh", "-c",
          fmt::format("exec {} each -j4 --joblog log 'echo {{}}' ::: $(seq 3000)", GATHER_PROGRAM)},
         gather.folder().path(),
         {},
         ""});
    if (after > 0) program.wait_for_out(fmt::format("{}\n", after));
    program.signal(SIGINT);
    const Ending ending = program.end();
    CHECK(ending.status == 130);
    const std::string log = gather.folder().read("log");
    CHECK((log.empty() || log.ends_with('\n')));
    std::istringstream lines(log);
    std::size_t wrong = 0;
    for (std::string line; std::getline(lines, line);) wrong += std::ranges::count(line, '\t') == 8 ? 0 : 1;
    CHECK(wrong == 0);
  }
}

TEST_CASE("B35: a standard output that is closed, full or gone is told, after all has been ended",
          "[cli][catalogue]") {
  const std::string word = unique_word();
  const auto [redirect, status] = GENERATE(table<std::string, int>({{">&-", 1}, {"> /dev/full", 1}}));
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n  a: {{ run: [echo, hello] }}\n  b: {{ run: [sh, -c, 'exec sleep 600', {}] }}\n",
                  word));
  Program program(
      {{"sh", "-c", fmt::format("exec {} {}", GATHER_PROGRAM, redirect)}, gather.folder().path(), {}, ""});
  const Ending ending = program.end();
  CHECK(ending.status == status);
  CHECK(!ending.signalled);
  CHECK_THAT(ending.err, Catch::Contains("can't write standard output: "));
  CHECK(processes_with(word).empty());
}

TEST_CASE("B35: a reader that has read enough ends the run with 141, and no process is left",
          "[cli][catalogue]") {
  const std::string word = unique_word();
  const std::string mode = GENERATE("group", "stream", "keep-order");
  Gather gather;
  gather.file("gather.yaml", fmt::format("tasks:\n  a: {{ shell: 'yes | head -n 100000' }}\n"
                                         "  b: {{ needs: a, run: [sh, -c, 'exec sleep 600', {}] }}\n",
                                         word));
  Program program(
      {{"sh", "-c",
        fmt::format("{{ {} -q --output {}; echo $? > status; }} | head -n 1", GATHER_PROGRAM, mode)},
       gather.folder().path(),
       {},
       ""});
  CHECK(program.end().out == "y\n");
  CHECK(gather.folder().read("status") == "141\n");
  CHECK(processes_with(word).empty());
}

TEST_CASE("B36: closed streams are nobody's by accident", "[cli][catalogue]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { t: { shell: 'ls -l /proc/$$/fd | grep -c socket || true' } }\n");
  const std::string closing = GENERATE("2>&-", "<&- 2>&-", "<&-");
  Program program(
      {{"sh", "-c", fmt::format("exec {} -q {}", GATHER_PROGRAM, closing)}, gather.folder().path(), {}, ""});
  const Ending ending = program.end();
  CHECK(ending.status == 0);
  CHECK(ending.out == "0\n");
}

TEST_CASE("B37: a terminal of one column, one that changes, a dumb one: no crash", "[cli][catalogue]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks:\n  a: { shell: 'echo hello; until [ -e go ]; do sleep 0.02; done' }\n  b: { sleep: 250ms }\n");
  SECTION("one column, then many") {
    Terminal terminal("stty cols 1; " + std::string(GATHER_PROGRAM) + "; echo status=$?; stty size",
                      gather.folder().path());
    terminal.wait_for("\x1b[K");  // It has drawn.
    terminal.resize(40, 120);
    terminal.wait_for("1 running: a");
    gather.folder().write("go", "");
    terminal.wait_for("status=0");
    terminal.wait_for("40 120");
  }
  SECTION("dumb") {
    gather.folder().write("go", "");
    Terminal terminal("TERM=dumb NO_COLOR=1 " + std::string(GATHER_PROGRAM) + "; echo status=$?",
                      gather.folder().path());
    terminal.wait_for("status=0");
    CHECK(terminal.screen().find('\x1b') == std::string::npos);
  }
}

TEST_CASE("B39: names and values that hold escapes stay text in every view", "[cli][catalogue]") {
  Gather gather;
  const std::string name = "x\x1b]0;t\a\r\ny";
  const Ending ending = gather.run({"each", "-v", "--joblog", "log", "--report", "json=report.json",
                                    "--shell", "exit 3 # {}", ":::", name});
  CHECK(ending.status == 1);
  const auto acts = [](const std::string& text) {
    return text.find_first_of("\x1b\a\r") != std::string::npos;
  };
  CHECK(!acts(ending.out + ending.err));
  CHECK(!acts(gather.folder().read("log")));
  CHECK(std::ranges::count(gather.folder().read("log"), '\n') == 2);
  CHECK(!acts(gather.folder().read("report.json")));
  CHECK_THAT(ending.err, Catch::Contains("\\x1b]0;t\\x07\\r\\ny"));
  CHECK(!acts(gather.run({name}).err));
  CHECK(!acts(gather.run({"--" + name}).err));
}

TEST_CASE("B40: no line of gather's own begins with what a task or its name says", "[cli][catalogue]") {
  Gather gather;
  gather.file("gather.yaml", "tasks: { a: { shell: 'echo ::error::mine >&2; exit 1' } }\n");
  for (const Ending& ending :
       {gather.run({"--output", "errors"}),
        gather.run({"each", "-v", "--shell", "echo {} >&2; false", ":::", "::error::mine"})}) {
    std::istringstream lines(ending.err);
    int begin = 0;
    for (std::string line; std::getline(lines, line);) begin += line.starts_with("::") ? 1 : 0;
    CHECK(begin == 1);  // The task's own line, as it wrote it; the digest repeats it behind a bar.
    CHECK_THAT(ending.err, Catch::Contains("    | ::error::mine\n"));
  }
}
