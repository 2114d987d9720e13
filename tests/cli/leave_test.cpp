// `leave: true`: what a task may leave running, and when it may not.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <cstdlib>
#include <set>
#include <vector>

using namespace gather::test;

namespace {

/// Ends what a test has left on purpose.
class Daemons {
 public:
  Daemons() = default;
  Daemons(const Daemons&) = delete;
  Daemons& operator=(const Daemons&) = delete;
  ~Daemons() {
    for (const int pid : pids()) kill(pid, SIGKILL);
  }

  const std::string& word() const { return word_; }
  std::vector<int> pids() const {
    std::vector<int> pids;
    for (const std::string& line : processes_with(word_)) pids.push_back(std::atoi(line.c_str()));
    return pids;
  }
  std::size_t count(std::string_view kind = "") const {
    return processes_with(word_ + std::string(kind)).size();
  }
  /// A line of shell that starts one and goes on: in a session of its own, or in the task's.
  std::string start(std::string_view kind, bool own_session) const {
    return fmt::format("{}sh -c 'sleep 600; :' {}{} > /dev/null 2>&1 &", own_session ? "setsid " : "", word_,
                       kind);
  }

 private:
  std::string word_ = unique_word();
};

/// The ways to start a process.
std::vector<std::string> start_paths() {
#ifdef UNDER_SANITIZER
  return {"launcher", "fork",
          "uv"};  // A child of vfork runs in our memory, which a sanitizer takes for a race.
#else
  return {"launcher", "vfork", "fork", "uv"};
#endif
}

}  // namespace

TEST_CASE("with `leave` what a task that passed has left runs on, and is named", "[cli][process][leave]") {
  const bool own_session = GENERATE(false, true);
  const std::string path = GENERATE(from_range(start_paths()));
  CAPTURE(own_session, path);
  const Daemons daemons;
  Gather gather;
  gather.variable("GATHER_START", path);
  gather.file("gather.yaml",
              fmt::format("tasks:\n  db:\n    leave: true\n    shell: |\n      {}\n      sleep 0.1\n",
                          daemons.start("", own_session)));
  const Ending ending = gather.run({"--report", "json=report.json"});
  CHECK(ending.status == 0);
  CHECK(daemons.count() == 1);
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  CHECK(!report["tasks"][0]["attempts"][0].contains("leaked"));
  if (path != "launcher") return;  // The others can't tell what was left.
  CHECK_THAT(ending.err,
             Catch::Contains("db has left ") && Catch::Contains(" running: sh -c sleep 600; : mark-"));
  CHECK_THAT(ending.err, !Catch::Contains("were ended"));
  const auto left = report["run"]["left_running"];
  REQUIRE(left.size() >= 1);  // Its sleep as well, if that was there already.
  for (const auto& process : left) {
    CHECK(process["task"] == "db");
    CHECK(kill(process["pid"], 0) == 0);
  }
}

TEST_CASE("with `leave` a task that fails or is stopped leaves nothing", "[cli][process][leave]") {
  const bool own_session = GENERATE(false, true);
  const Daemons daemons;
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n  fails: {{ leave: true, shell: \"{}\\n sleep 0.1; exit 3\" }}\n"
                          "  slow: {{ leave: true, timeout: 200ms, grace: 100ms, shell: \"trap 'exit 0' "
                          "TERM\\n {}\\n sleep 5 "
                          "& wait\" }}\n",
                          daemons.start("-fails", own_session), daemons.start("-slow", own_session)));
  const Ending ending = gather.run({});
  CHECK(ending.status == 1);
  CHECK_THAT(ending.err, !Catch::Contains("has left"));
  CHECK(daemons.count() == 0);
}

TEST_CASE("what was left runs on when gather is killed, and what others have started ends",
          "[cli][process][leave]") {
  const Daemons daemons;
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n  db: {{ leave: true, shell: \"{}\" }}\n"
                          "  other: {{ needs: db, grace: 100ms, shell: \"{}\\n echo on >&2; sleep 600\" }}\n",
                          daemons.start("-db", true), daemons.start("-other", true)));
  Program program = gather.start({"--output", "stream"});
  program.wait_for_err("on\n");
  // The shell that has started it shows the word as well.
  REQUIRE(eventually([&] { return daemons.count("-other") == 2 && daemons.count("-db") == 1; }));
  program.signal(SIGKILL);
  program.end();
  CHECK(eventually([&] { return daemons.count("-other") == 0; }));
  CHECK(daemons.count("-db") == 1);
}

TEST_CASE("what was left stays also while it becomes another program, when it shows no environment",
          "[cli][process][leave]") {
  const Daemons daemons;
  const Daemons others;
  Gather gather;
  gather.file("again", "exec sh \"$0\" \"$1\"\n");  // And again, and again.
  gather.file("gather.yaml", fmt::format(R"(tasks:
  db:
    leave: true
    shell: |
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do setsid sh ./again {} > /dev/null 2>&1 & done
  other: {{ needs: db, grace: 300ms, shell: "trap '' TERM\n echo on >&2; while :; do sleep 1; done; : {}" }}
)",
                                         daemons.word(), others.word()));
  Program program = gather.start({"--output", "stream"});
  const std::string launcher = fmt::format("--launcher-of {} ", program.pid());
  program.wait_for_err("on\n");
  REQUIRE(processes_with(launcher).size() == 1);
  program.signal(SIGKILL);
  program.end();
  CHECK(eventually([&] { return others.count() == 0 && processes_with(launcher).empty(); }));
  // One that is just being started shows no arguments either, so they are not all seen in one look.
  std::set<int> seen;
  CHECK(eventually([&] {
    for (const int pid : daemons.pids()) seen.insert(pid);
    return seen.size() == 16;
  }));
}

TEST_CASE("a daemon that keeps the pipes is no leak with `leave`, and holds nobody up",
          "[cli][process][leave]") {
  const Daemons daemons;
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks: {{ db: {{ leave: true, shell: \"setsid sh -c 'sleep 600; :' {} & echo up\" }} }}\n",
                  daemons.word()));
  const Ending ending = gather.run({"--report", "json=report.json"});
  CHECK(ending.status == 0);
  CHECK(ending.out == "up\n");
  CHECK(daemons.count() == 1);
  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  CHECK(!report["tasks"][0]["attempts"][0].contains("leaked"));
}

TEST_CASE("an attempt that failed leaves nothing, though the next one may", "[cli][process][leave]") {
  const Daemons daemons;
  Gather gather;
  gather.file(
      "gather.yaml",
      fmt::format("tasks:\n  db:\n    leave: true\n    retry: {{ attempts: 2, delay: 0 }}\n    shell: |\n"
                  "      setsid sh -c 'sleep 600; :' {}-$GATHER_ATTEMPT > /dev/null 2>&1 &\n"
                  "      sleep 0.1; [ $GATHER_ATTEMPT = 2 ]\n",
                  daemons.word()));
  CHECK(gather.run({}).status == 0);
  CHECK(daemons.count("-1") == 0);
  CHECK(daemons.count("-2") == 1);
}

TEST_CASE("where the launcher is killed, what was left ends with everything else", "[cli][process][leave]") {
  const Daemons daemons;
  Gather gather;
  gather.file("gather.yaml",
              fmt::format("tasks:\n  db: {{ leave: true, shell: \"{}\" }}\n"
                          "  bad: {{ needs: db, shell: 'sleep 0.1; kill -9 $PPID; sleep 600' }}\n",
                          daemons.start("", true)));
  CHECK(gather.run({}).status == 70);
  CHECK(daemons.count() == 0);
}
