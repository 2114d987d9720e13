// What stands on a terminal while tasks run, and what makes it harmless; off one, the heartbeat.
#include "tests/unit/report/fake_terminal.hpp"
#include "tests/unit/report/plain_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::report::Plain;
using gather::report::PlainOptions;
using gather::report::Verbosity;
using gather::run::Exited;
using gather::run::Stream;
using gather::test::end;
using gather::test::FakeTerminal;
using gather::test::lines_only;
using gather::test::MadeRun;
using gather::test::output_of;
using gather::test::outputs;

TEST_CASE("on a terminal streamed colours end where another's lines begin", "[report][plain][stream]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 1s);
  FakeTerminal terminal;
  terminal.is_shared = true;
  terminal.width = 80;
  PlainOptions options = lines_only(Verbosity::quiet);
  options.streamed = true;
  options.tag = [](gather::job::TaskId id) { return gather::job::index(id) == 0 ? "A " : "B "; };
  Plain plain(terminal, options);
  plain.run_started(run.job, run.record);
  plain.attempt_wrote(run.id("a"), Stream::out, "\x1b[31mred\nstill\n");
  plain.attempt_wrote(run.id("b"), Stream::out, "b\x1b[2J\n");
  plain.attempt_wrote(run.id("b"), Stream::out, "b\n");
  CHECK(terminal.both == "A \x1b[31mred\nA still\n\x1b[0mB b\\x1b[2J\nB b\n");
}

TEST_CASE("B38: a block is made harmless on a terminal, and its colours end with it", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  const auto shown = [&](std::optional<std::size_t> width) {
    FakeTerminal terminal;
    terminal.is_shared = true;
    terminal.width = width;
    Plain plain(terminal, lines_only(Verbosity::quiet));
    plain.run_started(run.job, run.record);
    end(plain, run, "a", outputs(output_of(1, "\x1b[31mred\x1b]0;x\a\n", "")));
    return terminal.both;
  };
  CHECK(shown(80) == "\x1b[31mred\\x1b]0;x\\x07\n\x1b[0m");
  CHECK(shown({}) == "\x1b[31mred\x1b]0;x\a\n");
}

TEST_CASE("names and reasons can't act on a terminal", "[report][plain]") {
  MadeRun run;
  run.task("a\x1b[2J").ran(0s, 1s, gather::run::LocalFailure{"can't write \x1b]0;x\a\nfile"});
  FakeTerminal terminal;
  Plain plain(terminal, lines_only());
  plain.run_started(run.job, run.record);
  plain.task_ended(gather::job::TaskId(0), run.record.tasks[0], {});
  CHECK(terminal.stderr_text == "failed      1.00 s  a\\x1b[2J: can't write \\x1b]0;x\\x07\\nfile\n");
}

TEST_CASE("a live line is drawn on ticks, cut to the width, and erased before anything else",
          "[report][plain]") {
  MadeRun run;
  run.task("build").ran(0s, 4s);
  run.task("test").ran(1s, 2s);
  FakeTerminal terminal;
  terminal.width = 34;
  terminal.is_shared = true;
  {
    Plain plain(terminal, lines_only());
    plain.run_started(run.job, run.record);
    plain.attempt_started(run.id("build"), 1);
    plain.tick(1s);
    plain.tick(1040ms);  // Too soon.
    plain.attempt_started(run.id("test"), 1);
    plain.tick(1100ms);
    end(plain, run, "test", outputs(output_of(1, "half", "")));
    plain.tick(3200ms);
  }
  CHECK(terminal.both ==
        "\r[0/2] 1 running: build 1.0 s\x1b[K"
        "\r[0/2] 2 running: build 1.1 s, te…\x1b[K"
        "\r\x1b[Kok          2.00 s  test\nhalf\n"
        "\r[1/2] 1 running: build 3.2 s\x1b[K"
        "\r\x1b[K");
}

TEST_CASE("off a terminal a heartbeat names what runs, every thirty seconds", "[report][plain]") {
  MadeRun run;
  run.task("build").ran(0s, 100s);
  run.task("bad").ran(0s, 1s, Exited{1});
  run.task("more").ran(0s, 100s);
  FakeTerminal terminal;
  Plain plain(terminal, lines_only(Verbosity::quiet));
  Plain loud(terminal, lines_only());
  for (Plain* each : {&plain, &loud}) {
    each->run_started(run.job, run.record);
    each->attempt_started(run.id("build"), 1);
    each->attempt_started(run.id("bad"), 1);
    each->tick(29s);
    end(*each, run, "bad");
    each->attempt_started(run.id("more"), 1);
    terminal.stderr_text.clear();
    for (const auto now : {30s, 31s, 59s, 90s}) each->tick(now);
  }
  CHECK(terminal.stderr_text ==
        "[1/3] 1 failed, 2 running: build 30.0 s, more 1.0 s\n"
        "[1/3] 1 failed, 2 running: build 1m30s, more 1m01s\n");
}

TEST_CASE("stopping is said at once", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  FakeTerminal terminal;
  Plain plain(terminal, lines_only());
  plain.run_started(run.job, run.record);
  plain.run_stopping("interrupted");
  CHECK(terminal.stderr_text == "stopping            interrupted\n");
  CHECK(terminal.flushes == 1);
}

TEST_CASE("with colour the state is painted, and colours of a task end with its output", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  FakeTerminal terminal;
  PlainOptions options = lines_only();
  options.colour = gather::report::Colour::on;
  Plain plain(terminal, options);
  plain.run_started(run.job, run.record);
  end(plain, run, "a", outputs(output_of(1, "", "\x1b[31mred\n")));
  CHECK(terminal.stderr_text == "\x1b[32mok       \x1b[0m   1.00 s  a\n\x1b[31mred\n\x1b[0m");
}

TEST_CASE("--eta and --bar stand in the live line, and elsewhere in a line every ten seconds",
          "[report][plain][progress]") {
  MadeRun run;
  run.task("a").ran(0s, 4s);
  run.task("b").ran(0s, 9s);
  FakeTerminal terminal;
  PlainOptions options = lines_only();
  options.lines = false;
  options.eta = options.bar = true;
  const bool on_terminal = GENERATE(true, false);
  if (on_terminal) terminal.width = 90;
  Plain plain(terminal, options);
  plain.run_started(run.job, run.record);
  plain.attempt_started(run.id("a"), 1);
  plain.attempt_started(run.id("b"), 1);
  end(plain, run, "a");
  for (const auto now : {5s, 6s, 10s}) {
    if (on_terminal != (now == 6s)) continue;
    plain.tick(now);
  }
  if (on_terminal)
    CHECK(terminal.stderr_text == "\r[1/2]  50% ██████████            ETA 6s  1 running: b 6.0 s\x1b[K");
  else
    CHECK(terminal.stderr_text == "[1/2]  50% ██████████            ETA 10s  1 running: b 10.0 s\n");
}
