// describe() and name() are run's; what they say is tested here, with the other words that people read.
#include "core/run/outcome.hpp"

#include "core/run/record.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace std::chrono_literals;
using namespace gather::run;

TEST_CASE("every outcome is told in words", "[run][outcome]") {
  CHECK(describe(Passed{}) == "passed");
  CHECK(describe(Exited{3}) == "exit status 3");
  CHECK(describe(Signalled{SIGSEGV, true}) == "killed by SIGSEGV (core dumped)");
  CHECK(describe(Signalled{SIGTERM, false}) == "killed by SIGTERM");
  CHECK(describe(Signalled{63, false}) == "killed by signal 63");
  CHECK(describe(TimedOut{2s, false}) == "timed out after 2 s");
  CHECK(describe(TimedOut{1500ms, true}) == "timed out after 1.5 s, and was killed after its grace");
  CHECK(describe(TimedOut{20ms, false}) == "timed out after 20 ms");
  CHECK(describe(TimedOut{10s, false}) == "timed out after 10 s");
  CHECK(describe(TimedOut{150s, false}) == "timed out after 2m30s");
  CHECK(describe(NotStarted{"no program foo"}) == "can't start: no program foo");
  CHECK(describe(UnexpectedStatus{404, "", {}}) == "HTTP status 404");
  CHECK(describe(UnexpectedStatus{503, "busy", 5s}) == "HTTP status 503 (retry after 5 s): busy");
  CHECK(describe(TransferFailed{"dns", "no such host"}) == "transfer failed (dns): no such host");
  CHECK(describe(NotAsExpected{"the body is no JSON"}) == "not as expected: the body is no JSON");
  CHECK(describe(ChecksumMismatch{"aa", "bb"}) == "checksum is bb, expected aa");
  CHECK(describe(LocalFailure{"can't write x: disk full"}) == "can't write x: disk full");
  CHECK(describe(Stopped{"interrupted", false}) == "interrupted");
}

TEST_CASE("every state has a name", "[run][record]") {
  std::string names;
  for (std::size_t i = 0; i < state_count; ++i) names += std::string(name(static_cast<State>(i))) + " ";
  CHECK(names == "waiting ready running passed flaky failed timed_out cancelled skipped ");
}
