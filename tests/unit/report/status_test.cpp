#include "core/report/status.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace std::chrono_literals;
using gather::job::TaskId;
using gather::report::Running;
using gather::report::status;
using gather::run::Output;
using gather::run::Stream;
using gather::test::MadeRun;

TEST_CASE("what runs is told longest first, with the last lines of each stream, inert", "[report][status]") {
  MadeRun run;
  for (const char* id : {"a", "b", "c"}) run.task(id).ran(0s, 1s);
  Running running(3);
  running.started(TaskId(0), 0s);
  running.started(TaskId(1), 1s);
  running.started(TaskId(2), 2s);
  running.stopped(TaskId(0));
  running.ended(false);
  const auto text = status(run.job, running, 3500ms, [](TaskId id, Stream stream, const Output::Sink& sink) {
    if (id != TaskId(1)) return;
    sink(stream == Stream::out ? "1\n2\n3\n4\n5\n6 \x1b[2J\x07\n" : "half");
  });
  CHECK(text ==
        "[1/3] 2 running\n"
        "     2.50 s  b: sleep 0s\n    | 2\n    | 3\n    | 4\n    | 5\n    | 6 \\x07\n    | half\n"
        "     1.50 s  c: sleep 0s\n");
}

TEST_CASE("of many that run forty are told", "[report][status]") {
  MadeRun run;
  Running running(50);
  for (int i = 0; i < 50; ++i) {
    run.task(fmt::format("t{}", i).c_str()).ran(0s, 1s);
    running.started(TaskId(static_cast<std::uint32_t>(i)), 0s);
  }
  const std::string text = status(run.job, running, 1s, [](TaskId, Stream, const Output::Sink&) {});
  CHECK_THAT(text, Catch::StartsWith("[0/50] 50 running\n"));
  CHECK_THAT(text, Catch::EndsWith("t39: sleep 0s\n  and 10 more\n"));
}
