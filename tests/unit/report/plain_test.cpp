#include "tests/unit/report/fake_terminal.hpp"
#include "tests/unit/report/plain_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::report::Plain;
using gather::report::PlainOptions;
using gather::report::Shown;
using gather::report::TaskOutput;
using gather::report::Verbosity;
using gather::run::Exited;
using gather::run::Stream;
using gather::test::end;
using gather::test::FakeTerminal;
using gather::test::lines_only;
using gather::test::MadeRun;
using gather::test::output_of;
using gather::test::outputs;

TEST_CASE("every ending is one line on standard error, in fixed columns", "[report][plain]") {
  MadeRun run;
  run.task("build").ran(0s, 1250ms);
  run.task("test").ran(0s, 400ms, Exited{3});
  run.task("deploy").skipped_at(400ms, "test");
  run.task("fetch").ran(0s, 1s, Exited{1}).ran(2s, 1400ms);
  run.task("slow").ran(0s, 2s, gather::run::TimedOut{2s, false});
  run.task("long").ran(0s, 3s, gather::run::Stopped{"interrupted", false});
  run.task("later").cancelled_at(3s, "interrupted");
  FakeTerminal terminal;
  Plain plain(terminal, lines_only());

  plain.run_started(run.job, run.record);
  for (const char* id : {"build", "test", "deploy", "fetch", "slow", "long", "later"}) end(plain, run, id);
  plain.run_ended(run.record);

  CHECK(terminal.stderr_text ==
        "ok          1.25 s  build\n"
        "failed      400 ms  test: exit status 3\n"
        "skipped             deploy: test failed\n"
        "flaky       1.40 s  fetch: passed at attempt 2 of 3\n"
        "timed out   2.00 s  slow: timed out after 2 s\n"
        "cancelled   3.00 s  long: interrupted\n");
  CHECK(terminal.stdout_text.empty());
}

TEST_CASE("a pipe gets the tasks' output alone, byte for byte", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 2s);
  FakeTerminal terminal;
  Plain plain(terminal, lines_only());

  plain.run_started(run.job, run.record);
  end(plain, run, "a", outputs(output_of(1, "no newline", "warning\n")));
  end(plain, run, "b", outputs(output_of(1, std::string("\0\xff\n", 3), "")));

  CHECK(terminal.stdout_text == std::string("no newline\0\xff\n", 13));
  CHECK(terminal.stderr_text == "ok          1.00 s  a\nwarning\nok          2.00 s  b\n");
}

TEST_CASE("where both streams are one place, a line of ours begins at its start", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 2s);
  FakeTerminal terminal;
  terminal.is_shared = true;
  Plain plain(terminal, lines_only());

  plain.run_started(run.job, run.record);
  end(plain, run, "a", outputs(output_of(1, "no newline", "")));
  end(plain, run, "b");

  CHECK(terminal.both == "ok          1.00 s  a\nno newline\nok          2.00 s  b\n");
  CHECK(terminal.stdout_text == "no newline");
}

TEST_CASE("output of repeated attempts is held back, and shown if the task fails", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, Exited{1}).ran(2s, 1s, Exited{2});
  run.task("b").ran(0s, 1s, Exited{1}).ran(2s, 1s);
  FakeTerminal terminal;
  Plain plain(terminal, lines_only());
  const auto both = [] {
    auto list = outputs(output_of(1, "", "first\n"));
    list.push_back(output_of(2, "", "second\n"));
    return list;
  };

  plain.run_started(run.job, run.record);
  plain.attempt_failed(run.id("a"), run.record.tasks[0].attempts[0], 600ms, output_of(1, "", "first\n"));
  end(plain, run, "a", both());
  end(plain, run, "b", both());

  CHECK(terminal.stderr_text ==
        "retry       1.00 s  a: exit status 1; again in 600 ms\n"
        "failed      1.00 s  a: exit status 2\n"
        "attempt 1           a\nfirst\n"
        "attempt 2           a\nsecond\n"
        "flaky       1.00 s  b: passed at attempt 2 of 3\nsecond\n");
}

TEST_CASE("with -v starts are told, and every attempt's output comes at once", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, Exited{1}).ran(2s, 1s, Exited{2});
  FakeTerminal terminal;
  Plain plain(terminal, lines_only(Verbosity::verbose));
  auto written = outputs(output_of(1, "", "first\n"));
  written.push_back(output_of(2, "", "second\n"));

  plain.run_started(run.job, run.record);
  plain.attempt_started(run.id("a"), 1);
  plain.attempt_failed(run.id("a"), run.record.tasks[0].attempts[0], 600ms, output_of(1, "", "first\n"));
  plain.attempt_started(run.id("a"), 2);
  end(plain, run, "a", std::move(written));

  CHECK(terminal.stderr_text ==
        "start               a\n"
        "retry       1.00 s  a: exit status 1; again in 600 ms\nfirst\n"
        "start               a: attempt 2\n"
        "failed      1.00 s  a: exit status 2\nsecond\n");
}

TEST_CASE("with -q only failures and the digest are told; the tasks' output stays", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 1s, Exited{1});
  run.task("c").needs({"b"}).skipped_at(1s, "b");
  FakeTerminal terminal;
  Plain plain(terminal, {.verbosity = Verbosity::quiet});

  plain.run_started(run.job, run.record);
  end(plain, run, "a", outputs(output_of(1, "data\n", "")));
  end(plain, run, "b");
  end(plain, run, "c");
  plain.tick(60s);
  plain.run_ended(run.record);

  CHECK(terminal.stdout_text == "data\n");
  CHECK(terminal.stderr_text ==
        "failed      1.00 s  b: exit status 1\n"
        "\n"
        "1 of 3 tasks failed, 1 skipped\n"
        "  failed     b: exit status 1 (1 task skipped because of it)\n");
}

TEST_CASE("a quiet run that is good says nothing", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  FakeTerminal terminal;
  Plain plain(terminal, {.verbosity = Verbosity::quiet});
  plain.run_started(run.job, run.record);
  end(plain, run, "a");
  plain.run_ended(run.record);
  CHECK(terminal.both.empty());
}

TEST_CASE("standard output can be left to a report, or to nobody", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 1s, Exited{1});
  const auto err_with = [&](TaskOutput where, Shown shown = Shown::all) {
    FakeTerminal terminal;
    PlainOptions options = lines_only(Verbosity::quiet);
    options.output = where;
    options.shown = shown;
    Plain plain(terminal, options);
    plain.run_started(run.job, run.record);
    end(plain, run, "a", outputs(output_of(1, "good\n", "")));
    end(plain, run, "b", outputs(output_of(1, "bad\n", "")));
    return terminal.stdout_text + "|" + terminal.stderr_text;
  };
  CHECK(err_with(TaskOutput::own_streams) == "good\nbad\n|failed      1.00 s  b: exit status 1\n");
  CHECK(err_with(TaskOutput::all_to_err) == "|good\nfailed      1.00 s  b: exit status 1\nbad\n");
  CHECK(err_with(TaskOutput::all_to_err, Shown::failures) == "|failed      1.00 s  b: exit status 1\nbad\n");
  CHECK(err_with(TaskOutput::own_streams, Shown::failures) == "bad\n|failed      1.00 s  b: exit status 1\n");
  CHECK(err_with(TaskOutput::own_streams, Shown::none) == "|failed      1.00 s  b: exit status 1\n");
}

TEST_CASE("output that nobody is shown is still in the failures at the end", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, Exited{1});
  FakeTerminal terminal;
  Plain plain(terminal, {.shown = Shown::none, .summary = false});
  plain.run_started(run.job, run.record);
  end(plain, run, "a", outputs(output_of(1, "", "why\n")));
  plain.run_ended(run.record);
  CHECK(terminal.stderr_text ==
        "failed      1.00 s  a: exit status 1\n\n1 of 1 task failed\n  failed     a: exit status 1\n    | "
        "why\n");
}

TEST_CASE("streamed output comes line by line while tasks run, and not again at their ends",
          "[report][plain][stream]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  run.task("b").ran(0s, 1s, Exited{1});
  FakeTerminal terminal;
  terminal.is_shared = GENERATE(false, true);
  Plain plain(terminal, {.streamed = true, .summary = false});
  const auto wrote = [&](const char* id, Stream stream, std::string_view text) {
    plain.attempt_wrote(run.id(id), stream, text);
  };

  plain.run_started(run.job, run.record);
  wrote("a", Stream::out, "one\ntwo, ");
  wrote("b", Stream::out, "other\n");
  wrote("b", Stream::err, "oh");
  wrote("a", Stream::out, "whole\nrest");
  end(plain, run, "a", outputs(output_of(1, "rest", "")));
  wrote("b", Stream::err, " no\n");
  end(plain, run, "b", outputs(output_of(1, "other\n", "oh no\n")));
  plain.run_ended(run.record);

  if (terminal.is_shared)
    CHECK(terminal.both ==
          "one\nother\ntwo, whole\nrest\nok          1.00 s  a\noh no\nfailed      1.00 s  b: exit status 1\n"
          "\n1 of 2 tasks failed\n  failed     b: exit status 1\n    | oh no\n");
  else
    CHECK(terminal.stdout_text == "one\nother\ntwo, whole\nrest");
}

TEST_CASE("a whole run that fails ends with its digest", "[report][plain]") {
  MadeRun run;
  run.task("build").ran(0s, 1500ms);
  run.task("test").is_process().needs({"build"}).ran(1500ms, 500ms, Exited{3});
  run.task("lint").is_process().ran(0s, 600ms, Exited{1}).ran(1s, 800ms);
  run.task("deploy").needs({"test"}).skipped_at(2s, "test");
  run.task("announce").needs({"deploy"}).skipped_at(2s, "test");
  FakeTerminal terminal;
  Plain plain(terminal, {});

  plain.run_started(run.job, run.record);
  end(plain, run, "build");
  end(plain, run, "lint");
  end(plain, run, "test", outputs(output_of(1, "12 tests\n", "\x1b[31mexpected 4\x1b[0m\n\tgot 5\n\n")));
  end(plain, run, "deploy");
  end(plain, run, "announce");
  plain.run_ended(run.record);

  CHECK(terminal.stdout_text == "12 tests\n");
  CHECK(terminal.stderr_text ==
        "ok          1.50 s  build\n"
        "flaky       800 ms  lint: passed at attempt 2 of 3\n"
        "failed      500 ms  test: exit status 3\n"
        "\x1b[31mexpected 4\x1b[0m\n\tgot 5\n\n"
        "skipped             deploy: test failed\n"
        "skipped             announce: test failed\n"
        "\n"
        "task      state        start     took  0                                           2.00 s\n"
        "build     ok            0 ms   1.50 s  ██████████████████████████████████████\n"
        "lint      flaky         0 ms   800 ms  ███████████████░░░░░░░░░░████████████████████\n"
        "test      failed      1.50 s   500 ms                                       █████████████\n"
        "deploy    skipped\n"
        "announce  skipped\n"
        "\n"
        "tasks                    5   1 ok, 1 flaky, 1 failed, 2 skipped\n"
        "wall                2.00 s\n"
        "sum of task times   2.80 s   naive concurrency 1.40\n"
        "critical path       2.00 s   build > test\n"
        "lower bound         2.00 s   from critical path; efficiency 100.0 %\n"
        "slowest                      build 1.50 s, lint 800 ms, test 500 ms\n"
        "\n"
        "1 of 5 tasks failed, 2 skipped\n"
        "  failed     test: exit status 3 (2 tasks skipped because of it)\n"
        "    | expected 4\n"
        "    |   got 5\n");
}

TEST_CASE("in order, an ending waits for those before it in the file", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 3s);
  run.task("b").ran(0s, 1s, Exited{3});
  run.task("c").ran(0s, 2s);
  FakeTerminal terminal;
  PlainOptions options = lines_only();
  options.lines = false;
  options.in_order = true;
  Plain plain(terminal, options);

  plain.run_started(run.job, run.record);
  end(plain, run, "c", outputs(output_of(1, "from c\n", "")));
  end(plain, run, "b", outputs(output_of(1, "from b\n", "")));
  CHECK(terminal.both.empty());
  end(plain, run, "a", outputs(output_of(1, "from a\n", "")));

  CHECK(terminal.stdout_text == "from a\nfrom b\nfrom c\n");
  CHECK(terminal.stderr_text == "failed      1.00 s  b: exit status 3\n");
}

TEST_CASE("a tag begins every line of both streams, and only lines", "[report][plain]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  FakeTerminal terminal;
  PlainOptions options = lines_only();
  options.lines = false;
  options.tag = [&](gather::job::TaskId id) { return run.job[id].id + ":"; };
  Plain plain(terminal, options);

  plain.run_started(run.job, run.record);
  end(plain, run, "a", outputs(output_of(1, "one\n\nlong line without end", "e\n")));

  CHECK(terminal.stdout_text == "a:one\na:\na:long line without end");
  CHECK(terminal.stderr_text == "a:e\n");
}
