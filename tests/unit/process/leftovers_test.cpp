#include "tests/unit/process/process_run.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace gather;
using namespace gather::test;

namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool session_dies(const std::string& session) {
  Loop loop;
  return loop.run(eventually([&] { return count_alive(3, session) == 0; }));
}

}  // namespace

TEST_CASE("what a program leaves in its group is killed, and the program keeps its state",
          "[process][leak]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const auto began = std::chrono::steady_clock::now();
  const Ran ran = shell("echo $$; sleep 100 & exit 0", {.path = path, .policy = {.leak_timeout = 50ms}});
  CHECK(ran.told() == "exit 0");
  CHECK(ran.result.leaked);
  CHECK(!ran.result.killed);
  CHECK(session_dies(first_line(ran.out())));
  CHECK(std::chrono::steady_clock::now() - began < 2s);
}

TEST_CASE("one that has closed its streams is found all the same", "[process][leak]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Ran ran = shell("echo $$; sleep 100 </dev/null >/dev/null 2>&1 & echo $$; exit 3",
                        {.path = path, .policy = {.leak_timeout = 50ms}});
  CHECK(ran.told() == "exit 3");
  CHECK(ran.result.leaked);
  CHECK(session_dies(first_line(ran.out())));
}

TEST_CASE("leftovers that end in time are no leak, and their output is kept", "[process][leak]") {
  const StartPath path = GENERATE(from_range(start_paths()));
  const Ran loud =
      shell("(sleep 0.05; echo late) & exit 0", {.path = path, .policy = {.leak_timeout = 1500ms}});
  CHECK(loud.out() == "late\n");
  CHECK(!loud.result.leaked);
  const Ran quiet =
      shell("(sleep 0.05) >/dev/null 2>&1 & exit 0", {.path = path, .policy = {.leak_timeout = 1500ms}});
  CHECK(!quiet.result.leaked);
}

TEST_CASE("one that left the group and holds a pipe delays nothing beyond its time", "[process][leak]") {
  // It can't be found from here; so it ends by itself.
  const Ran ran = shell("echo before; setsid sleep 1 & exit 0", {.policy = {.leak_timeout = 50ms}});
  CHECK(ran.told() == "exit 0");
  CHECK(ran.result.leaked);
  CHECK(ran.out() == "before\n");
}

TEST_CASE("what a leftover has written before it is killed is kept", "[process][leak]") {
  const Ran ran = shell("(seq 1 2000; exec sleep 100) & exit 0", {.policy = {.leak_timeout = 100ms}});
  std::string expected;
  for (int i = 1; i <= 2000; ++i) expected += std::to_string(i) + '\n';
  CHECK(ran.result.leaked);
  CHECK(ran.out() == expected);
}
