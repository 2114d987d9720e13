#include "core/report/fetches.hpp"

#include "tests/unit/analyse/made_run.hpp"
#include "tests/unit/report/fake_terminal.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::test::FakeTerminal;
using gather::test::MadeRun;
using namespace gather::report;

TEST_CASE("bytes are shown in decimal units with three digits or so", "[report][fetch]") {
  CHECK(show_bytes(0) == "0 B");
  CHECK(show_bytes(999) == "999 B");
  CHECK(show_bytes(1000) == "1.00 kB");
  CHECK(show_bytes(12'345'678) == "12.3 MB");
  CHECK(show_bytes(999'700'000) == "1.00 GB");
  CHECK(show_bytes(18'446'744'073'709'551'615U) == "18.4 EB");
}

TEST_CASE("the live line of fetches has files, bytes, rate and an estimate, and goes before a failure",
          "[report][fetch]") {
  MadeRun run;
  run.task("http://a/1").ran(0s, 1s);
  run.task("http://a/2").ran(0s, 2s, gather::run::UnexpectedStatus{404, "gone", {}});
  FakeTerminal terminal;
  terminal.width = 100;
  std::uint64_t received = 0;
  Fetches fetches(terminal, {}, [&] { return received; });
  fetches.run_started(run.job, run.record);
  fetches.attempt_started(run.id("http://a/1"), 1);
  fetches.attempt_started(run.id("http://a/2"), 1);
  fetches.task_ended(run.id("http://a/1"), run.record.tasks[0], {});
  CHECK(terminal.both == "");
  received = 3'000'000;
  fetches.tick(2s);
  CHECK(terminal.both == "\r[1/2] 3.00 MB  1.50 MB/s  2 s left  1 running: http://a/2 2.0 s\x1b[K");
  terminal.both.clear();
  fetches.task_ended(run.id("http://a/2"), run.record.tasks[1], {});
  CHECK_THAT(terminal.both, Catch::StartsWith("\r\x1b[Kfetch failed: http://a/2: "));
  CHECK(terminal.stdout_text == "");
}

TEST_CASE("off a terminal fetches have a heartbeat every 30 s, and none with -q", "[report][fetch]") {
  const bool quiet = GENERATE(false, true);
  MadeRun run;
  run.task("http://a/1").ran(0s, 60s);
  FakeTerminal terminal;
  FetchesOptions options;
  if (quiet) options.verbosity = Verbosity::quiet;
  Fetches fetches(terminal, options, [] { return std::uint64_t{0}; });
  fetches.run_started(run.job, run.record);
  fetches.attempt_started(run.id("http://a/1"), 1);
  fetches.tick(29s);
  CHECK(terminal.both == "");
  fetches.tick(30s);
  CHECK(terminal.both == (quiet ? "" : "[0/1] 0 B  0 B/s  1 running: http://a/1 30.0 s\n"));
}
