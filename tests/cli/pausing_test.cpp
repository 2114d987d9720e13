// Ctrl-Z and fg, in a real terminal under a real shell.
#include "tests/cli/program.hpp"
#include "tests/cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <algorithm>
#include <fstream>
#include <sstream>

using namespace gather::test;

namespace {

/// The states of the processes with `word` among their arguments: "T" for each that is stopped.
std::string states(const std::string& word) {
  std::string result;
  for (const std::string& process : processes_with(word)) {
    std::ifstream file(fmt::format("/proc/{}/stat", process.substr(0, process.find(' '))));
    std::ostringstream content;
    content << file.rdbuf();
    const std::string stat = content.str();
    if (const auto end = stat.rfind(')'); end + 2 < stat.size()) result += stat[end + 2];
  }
  return result;
}

}  // namespace

TEST_CASE("B32: Ctrl-Z stops gather, what it runs and every clock; fg goes on, and nothing has timed out",
          "[cli][stop]") {
  const std::string word = unique_word();
  Gather gather;
  // One that keeps to its group, and one that does not; each with little time, and a sleep of gather's own.
  gather.file("gather.yaml", fmt::format(R"(
tasks:
  plain: {{ timeout: 700ms, run: [sh, -c, "touch plain.on; while [ ! -e go ]; do sleep 0.01; done", {0}] }}
  fled:  {{ timeout: 700ms, run: [sh, -c, "setsid sh -c 'touch fled.on; while [ ! -e go ]; do sleep 0.01; done' {0} & wait", {0}] }}
  sleep: {{ timeout: 700ms, sleep: 600ms }}
)",
                                         word));
  Terminal terminal(std::string(GATHER_PROGRAM) +
                        " --report json=report.json; echo first=$?; read line; fg >/dev/null; "
                        "echo then=$?",
                    gather.folder().path());
  REQUIRE(eventually([&] { return gather.folder().has("plain.on") && gather.folder().has("fled.on"); }));

  terminal.type("\x1a");
  terminal.wait_for("first=148");  // 128 + SIGTSTP: the shell has seen it stop.
  // The shells and what they run at this moment: sleeps have no word in their arguments.
  CHECK(eventually([&] { return states(word) == "TTT"; }));
  poll(nullptr, 0, 1000);  // Longer than any task may take.
  CHECK(states(word) == "TTT");
  gather.folder().write("go", "");
  terminal.type("\n");
  terminal.wait_for("then=0");

  const auto report = nlohmann::json::parse(gather.folder().read("report.json"));
  for (const auto& task : report["tasks"]) {
    CHECK(task["state"] == "passed");
    CHECK(task["attempts"][0]["duration_ms"].get<double>() < 1000);
  }
}
