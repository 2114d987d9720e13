// The catalogue of faults, A: child processes that are hard to supervise, each with the exact outcome that
// its user sees. What is not here has its number at the test that shows it.
#include "tests/cli/program.hpp"
#include "tests/cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace gather::test;

namespace {

using Json = nlohmann::json;

/// Runs a job of these tasks (the lines below `tasks:`) and gives its report.
struct Ran {
  Gather gather;
  Ending ending;
  Json tasks;

  explicit Ran(const std::string& text) {
    gather.file("gather.yaml", "defaults: { grace: 200ms }\ntasks:\n" + text);
    ending = gather.run({"--report", "json=report.json"});
    const std::string report = gather.folder().read("report.json");
    if (!report.empty()) tasks = Json::parse(report)["tasks"];
  }
  const Json& last(std::size_t task = 0) const { return tasks[task]["attempts"].back(); }
  std::string state(std::size_t task = 0) const { return tasks[task]["state"]; }
  std::string reason(std::size_t task = 0) const {
    return tasks[task]["reason"].is_string() ? tasks[task]["reason"].get<std::string>() : "";
  }
  double took_ms(std::size_t task = 0) const { return last(task)["duration_ms"].get<double>(); }
};

constexpr double slack_ms = 2500;  // Of a machine that is busy with other tests.

std::string shape(const std::string& name, const std::string& word) {
  return fmt::format("run: [{}, {}, {}]", CHILD_SHAPE_PROGRAM, name, word);
}

/// Clock ticks of processor time that a process has used.
long ticks_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::ostringstream content;
  content << file.rdbuf();
  std::istringstream fields(content.str().substr(content.str().rfind(')') + 2));
  std::string field;
  for (int i = 0; i < 11; ++i) fields >> field;
  long user = 0;
  long system = 0;
  fields >> user >> system;
  return user + system;
}

}  // namespace

TEST_CASE("A1: what a time limit ends is timed out, and gone", "[cli][catalogue]") {
  const std::string word = unique_word();
  const Ran ran("  t: { timeout: 200ms, " + shape("plain", word) + " }\n");
  CHECK(ran.ending.status == 1);
  CHECK(ran.state() == "timed_out");
  CHECK(ran.reason() == "timed out after 200 ms");
  CHECK(ran.took_ms() >= 200);
  CHECK(ran.took_ms() < 200 + slack_ms);
  CHECK(processes_with(word).empty());
}

TEST_CASE("A2: one that ignores what is polite is killed after its grace, and the reason says so",
          "[cli][catalogue]") {
  const std::string word = unique_word();
  const Ran ran("  t: { timeout: 200ms, " + shape("stubborn", word) + " }\n");
  CHECK(ran.state() == "timed_out");
  CHECK(ran.reason() == "timed out after 200 ms, and was killed after its grace");
  CHECK(ran.took_ms() >= 400);
  CHECK(ran.took_ms() < 400 + slack_ms);
  CHECK(processes_with(word).empty());
}

TEST_CASE("A3, A4: a child in the group and one that has left it go with the task", "[cli][catalogue]") {
  const std::string word = unique_word();
  const std::string name = GENERATE("grandchild", "setsid", "daemonised");
  const Ran ran("  t: { timeout: 200ms, " + shape(name, word) + " }\n");
  CHECK(ran.state() == "timed_out");
  CHECK(processes_with(word).empty());
}

TEST_CASE("A6: one that ends while its child holds its output passes, is marked, and holds nothing up",
          "[cli][catalogue]") {
  const std::string word = unique_word();
  const Ran ran(fmt::format("  t: {{ shell: \"sh -c 'sleep 600; : {}' & echo done\" }}\n", word));
  CHECK(ran.ending.status == 0);
  CHECK(ran.ending.out == "done\n");
  CHECK(ran.state() == "passed");
  CHECK(ran.last()["leaked"] == true);
  CHECK(ran.took_ms() >= 200);
  CHECK(ran.took_ms() < 200 + slack_ms);
  CHECK(processes_with(word).empty());
}

TEST_CASE("A7: one that closes its streams and runs on is awaited, and waiting costs nothing",
          "[cli][catalogue]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "tasks: { t: { run: [sh, -c, 'exec >&- 2>&-; touch closed; sleep 1; touch ended; exit 7'] } }\n");
  Program program = gather.start({"--report", "json=report.json"});
  REQUIRE(eventually([&] { return gather.folder().has("closed"); }));
  const long before = ticks_of(program.pid());
  REQUIRE(eventually([&] { return gather.folder().has("ended"); }));
  const long used = ticks_of(program.pid()) - before;
  CHECK(program.end().status == 1);
  CHECK(used <= 2 * sysconf(_SC_CLK_TCK) / 100 + 1);  // 2 %; the clock may tick once beside it.
  const Json task = Json::parse(gather.folder().read("report.json"))["tasks"][0];
  CHECK(task["reason"] == "exit status 7");
  CHECK(task["attempts"][0]["duration_ms"] >= 1000.0);
}

TEST_CASE("A8: a signal that ends a task is named, and is no exit status", "[cli][catalogue]") {
  const auto [number, name] = GENERATE(table<std::string, std::string>({{"SEGV", "SIGSEGV"},
                                                                        {"ABRT", "SIGABRT"},
                                                                        {"KILL", "SIGKILL"},
                                                                        {"USR1", "SIGUSR1"},
                                                                        {"TERM", "SIGTERM"}}));
  const Ran ran(fmt::format("  t: {{ shell: \"ulimit -c 0; kill -{} $$\" }}\n", number));
  CHECK(ran.ending.status == 1);
  CHECK(ran.state() == "failed");
  CHECK(ran.reason() == "killed by " + name);
  CHECK(ran.last()["outcome"]["kind"] == "signalled");
}

TEST_CASE("A9: the time limit of one that has stopped itself comes all the same", "[cli][catalogue]") {
  const std::string word = unique_word();
  const Ran ran(
      fmt::format("  t: {{ timeout: 300ms, run: [sh, -c, 'kill -STOP $$; sleep 600', {}] }}\n", word));
  CHECK(ran.state() == "timed_out");
  CHECK(ran.took_ms() < 500 + slack_ms);
  CHECK(processes_with(word).empty());
}

TEST_CASE("A10: exit statuses are told as they are, and 127 is not \"could not start\"", "[cli][catalogue]") {
  const Ran ran(
      "  a: { shell: 'exit 0' }\n  b: { shell: 'exit 1' }\n  c: { shell: 'exit 2' }\n  d: { shell: 'exit "
      "126' }\n"
      "  e: { shell: 'exit 127' }\n  f: { shell: 'exit 128' }\n  g: { shell: 'exit 255' }\n"
      "  h: { run: [no-such-program-anywhere] }\n");
  std::string codes;
  for (std::size_t i = 0; i < 7; ++i) {
    const Json& outcome = ran.last(i)["outcome"];
    codes += outcome["kind"] == "passed" ? "0 " : fmt::format("{} ", outcome["code"].get<int>());
  }
  CHECK(codes == "0 1 2 126 127 128 255 ");
  CHECK(ran.reason(4) == "exit status 127");
  CHECK(ran.last(7)["outcome"]["kind"] == "not_started");
}

TEST_CASE("A11: five reasons why a program can't start are five sentences, and no shell runs it instead",
          "[cli][catalogue]") {
  Gather gather;
  gather.file("plain.txt", "x");
  gather.file("folder/x", "");
  gather.file("no-interpreter", "touch ran\n");
  gather.file("other-machine", std::string("\x7f"
                                           "ELF\x02\x01\x01",
                                           7) +
                                   std::string(9, '\0') + std::string("\x02\0\xf7\0", 4) +
                                   std::string(100, '\0'));
  for (const char* name : {"no-interpreter", "other-machine"})
    chmod((gather.folder().path() / name).c_str(), 0755);
  gather.file(
      "gather.yaml",
      "tasks:\n  a: { run: [no-such-program-anywhere] }\n  b: { run: [./plain.txt] }\n"
      "  c: { run: [./folder] }\n  d: { run: [./other-machine] }\n  e: { run: [./no-interpreter] }\n");
  CHECK(gather.run({"--report", "json=report.json"}).status == 1);
  const Json tasks = Json::parse(gather.folder().read("report.json"))["tasks"];
  const std::array<std::string, 5> said{"there is no program \"no-such-program-anywhere\" in PATH",
                                        "may not be executed; chmod +x would allow it",
                                        "is a directory, not a program",
                                        "is a program for another kind of machine, or damaged",
                                        "is no program, and has no #! line that would name its interpreter"};
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK_THAT(tasks[i]["reason"].get<std::string>(), Catch::Contains(said[i]));
    CHECK(tasks[i]["attempts"][0]["outcome"]["kind"] == "not_started");
  }
  CHECK(!gather.folder().has("ran"));
}

TEST_CASE("A12: a folder that is not there is told as the folder, not as the program", "[cli][catalogue]") {
  const Ran ran("  gone: { cwd: nowhere, run: [echo, hi] }\n  file: { cwd: gather.yaml, run: [echo, hi] }\n");
  CHECK_THAT(ran.reason(0), Catch::StartsWith("can't start: can't enter the working directory \"") &&
                                Catch::Contains("/nowhere\": No such file or directory"));
  CHECK_THAT(ran.reason(1), Catch::Contains("/gather.yaml\": Not a directory"));
}

TEST_CASE("A15: lines of one byte on both streams keep their order within each", "[cli][catalogue]") {
  const std::string mode = GENERATE("stream", "group");
  Gather gather;
  gather.file("gather.yaml", "tasks: { t: { shell: 'seq 100000 & seq 100000 >&2; wait' } }\n");
  std::string wanted;
  for (int i = 1; i <= 100'000; ++i) wanted += fmt::format("{}\n", i);
  const Ending ending = gather.run({"-q", "--output", mode});
  CHECK((ending.out == wanted));
  CHECK((ending.err == wanted));
}

TEST_CASE("A15: output without a pause redraws the live line at most ten times a second",
          "[cli][catalogue]") {
  Gather gather;
  gather.file("gather.yaml",
              "tasks: { t: { shell: 'i=0; while [ ! -e go ]; do echo $i; i=$((i+1)); done' } }\n");
  Terminal terminal(
      std::string(GATHER_PROGRAM) + " --output stream --report json=report.json; echo status=$?",
      gather.folder().path());
  terminal.wait_for("\n5000\r\n");
  gather.folder().write("go", "");
  terminal.wait_for("status=0");
  std::size_t frames = 0;
  for (std::size_t at = 0; (at = terminal.screen().find("1 running: t", at)) != std::string::npos; ++at)
    ++frames;
  const Json report = Json::parse(gather.folder().read("report.json"));
  const double seconds = report["figures"]["wall_ms"].get<double>() / 1000;
  CHECK(static_cast<double>(frames) <= 10 * seconds + 2);
}

TEST_CASE("A17: bytes that are no text come through a pipe exactly, and a terminal is shown them written out",
          "[cli][catalogue]") {
  const std::string mode = GENERATE("stream", "group");
  Gather gather;
  gather.file("gather.yaml", "tasks: { t: { shell: \"printf '\\\\000\\\\377\\\\033]0;x\\\\007\\\\n'\" } }\n");
  CHECK(gather.run({"-q", "--output", mode}).out == std::string("\0\xff\x1b]0;x\a\n", 9));
  Terminal terminal(std::string(GATHER_PROGRAM) + " -q --output " + mode + "; echo status=$?",
                    gather.folder().path());
  terminal.wait_for("status=0");
  CHECK_THAT(terminal.screen(), Catch::Contains("\\x00\\xff\\x1b]0;x\\x07\r\n"));
}

TEST_CASE("A18: a program can open its streams by their names", "[cli][catalogue]") {
  const Ran ran(
      "  t: { shell: 'echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin', stdin: in }\n");
  CHECK(ran.ending.status == 0);
  CHECK(ran.ending.out == "out\nin");
  CHECK_THAT(ran.ending.err, Catch::Contains("err\n"));
}

TEST_CASE("A19: a program that reads is at the end at once, whatever gather could read", "[cli][catalogue]") {
  Gather gather;
  gather.input("for gather\n");
  gather.file("gather.yaml", "tasks: { t: { shell: 'wc -c' } }\n");
  CHECK(gather.run({"-q"}).out == "0\n");
}

TEST_CASE("A23: with few descriptors gather runs all the same, or says what it lacks", "[cli][catalogue]") {
  Gather gather;
  std::string tasks;
  for (int i = 0; i < 12; ++i) tasks += fmt::format("  t{}: {{ shell: 'sleep 0.02; echo {}' }}\n", i, i);
  gather.file("gather.yaml", "limits: { processes: 12 }\ntasks:\n" + tasks);
  bool has_run = false;
#ifdef UNDER_SANITIZER
  // The check of virtual tables looks at memory by means of a pipe, and takes an object for none where no
  // descriptor is left.
  const std::vector<int> limits{256};
#else
  const std::vector<int> limits{256, 64, 32, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6};
#endif
  for (const int most : limits) {
    Program program({{"sh", "-c", fmt::format("ulimit -n {}; exec {} --progress none", most, GATHER_PROGRAM)},
                     gather.folder().path(),
                     {},
                     ""});
    const Ending ending = program.end();
    CAPTURE(most, ending.status, ending.err);
    CHECK(!ending.signalled);  // No crash, no abort.
    if (ending.status == 0) {
      CHECK(std::ranges::count(ending.out, '\n') == 12);
      has_run = true;
    } else {
      CHECK_THAT(ending.err, Catch::Contains("ulimit -n") || Catch::Contains("oo many open files"));
    }
    if (most >= 64) CHECK(ending.status == 0);
  }
  CHECK(has_run);
}

TEST_CASE("A25: nothing here reaps what it does not know", "[cli][catalogue]") {
  // waitpid(-1) and wait() take away the ends of others' children.
  for (const char* top : {"core", "cmd"})
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::filesystem::path(SOURCE_FOLDER) / top)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
      if (entry.path().filename() == "isolation.cpp") continue;  // An init reaps whoever comes to it.
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      INFO(entry.path());
      CHECK(!text.str().contains("waitpid(-1"));
      CHECK(!text.str().contains("wait4(-1"));
      CHECK(!text.str().contains("wait3("));
    }
}

TEST_CASE("A26: one that has cleared its death signal ends with the launcher nevertheless",
          "[cli][catalogue]") {
  const std::string word = unique_word();
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n  safe: {{ {} }}\n"
                  "  bad:  {{ run: [sh, -c, 'while [ ! -e undying.on ]; do sleep 0.01; done; kill -9 $PPID; "
                  "sleep 600', {}] }}\n",
                  shape("undying", word), word));
  const Ending ending = gather.run({});
  CHECK(ending.status == 70);
  CHECK(processes_with(word).empty());
}

TEST_CASE("A28: what a program starts with is what the manual says, and no more", "[cli][catalogue]") {
  Gather gather;
  gather.file(
      "gather.yaml",
      "env: { OF_JOB: a }\ntasks:\n  t:\n    env: { OF_TASK: b }\n    shell: |\n"
      "      (ls /proc/$$/fd > descriptors); tr '\\n' ' ' < descriptors; echo\n"
      "      grep -E 'Sig(Blk|Ign)' /proc/self/status | tr '\\n\\t' '  '; echo\n"
      "      umask; ulimit -n; ulimit -c\n"
      "      env | grep -E '^(GATHER_|OF_|KEPT)' | sed 's/RUN_ID=.*/RUN_ID=X/' | sort | tr '\\n' ' '; echo\n"
      "      [ $(cut -d' ' -f5 /proc/$$/stat) = $$ ] && [ $(cut -d' ' -f6 /proc/$$/stat) = $$ ] && echo "
      "leader\n");
  Program program({{"sh", "-c",
                    fmt::format("umask 027; ulimit -n 200; ulimit -c 0; trap '' USR1 PIPE; exec 7< "
                                "/dev/null; exec {} -q --jobserver none",
                                GATHER_PROGRAM)},
                   gather.folder().path(),
                   {{"GATHER_JOBS", "3"}, {"KEPT", "yes"}},
                   ""});
  const Ending ending = program.end();
  CHECK(ending.status == 0);
  CHECK(ending.out ==
        "0 1 2 \n"
        "SigBlk: 0000000000000000 SigIgn: 0000000000000000 \n"
        "0027\n200\n0\n"
        "GATHER_ATTEMPT=1 GATHER_RUN_ID=X GATHER_SLOT=1 GATHER_TASK=t KEPT=yes OF_JOB=a OF_TASK=b \n"
        "leader\n");
}
