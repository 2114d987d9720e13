// SIGUSR1: what runs now, since when, and its last lines.
#include "tests/cli/program.hpp"
#include "tests/support/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <csignal>
#include <regex>

using namespace gather::test;

namespace {

/// Times written as "TIME".
std::string timeless(const std::string& text) {
  return std::regex_replace(text, std::regex(" +[0-9.]+ (ms|s) "), " TIME ");
}

/// What the program says when it is asked, up to a line that begins with `last`.
std::string asked(Program& program, const Gather& gather, const std::string& last) {
  program.signal(SIGUSR1);
  program.wait_for_err(last);
  gather.folder().write("go", "");
  return timeless(program.end().err);
}

}  // namespace

TEST_CASE("SIGUSR1 prints what runs, and the last lines of both streams", "[cli][status]") {
  const bool streamed = GENERATE(false, true);
  Gather gather;
  gather.file("gather.yaml",
              "tasks:\n"
              "  done: { run: [\"true\"] }\n"
              "  busy:\n"
              "    needs: done\n"
              "    shell: |\n"
              "      for i in 1 2 3 4 5 6 7; do echo \"line $i\"; done; echo 'oh no' >&2\n"
              "      touch on; until [ -e go ]; do sleep 0.01; done\n"
              "  later: { needs: busy, run: [\"true\"] }\n");
  Program program = gather.start({"--progress", "none", "--output", streamed ? "stream" : "group"});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));
  const std::string said = asked(program, gather, "    | oh no\n");
  CHECK_THAT(said,
             Catch::StartsWith(std::string(streamed ? "oh no\n" : "") +
                               "[1/3] 1 running\n"
                               " TIME  busy: sh: for i in 1 2 3 4 5 6 7; do echo \"line $i\"; done; echo 'oh "
                               "no' >&2 …\n"
                               "    | line 3\n    | line 4\n    | line 5\n    | line 6\n    | line 7\n"
                               "    | oh no\n"));
}

TEST_CASE("SIGUSR1 in each: the commands that run, the longest first", "[cli][status]") {
  Gather gather;
  Program program =
      gather.start({"each", "-j1", "--shell", "echo {}; touch on; until [ -e go ]; do sleep 0.01; done",
                    ":::", "first", "second"});
  REQUIRE(eventually([&] { return gather.folder().has("on"); }));
  CHECK_THAT(asked(program, gather, "    | first\n"),
             Catch::StartsWith("[0/2] 1 running\n") && Catch::Contains("    | first\n"));
}

TEST_CASE("SIGUSR1 in fetch: what is under way", "[cli][status]") {
  ScriptedServer server([](const auto&) { return ScriptedServer::Reply{"", ScriptedServer::Then::stall}; });
  Gather gather;
  Program program = gather.start({"fetch", server.url("/file"), "--progress", "none"});
  REQUIRE(eventually([&] { return !server.requests().empty(); }));
  program.signal(SIGUSR1);
  program.wait_for_err("GET ");
  program.signal(SIGINT);
  CHECK_THAT(timeless(program.end().err), Catch::StartsWith("[0/1] 1 running\n TIME "));
}
