#include "core/report/summary.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace std::chrono_literals;
using gather::analyse::figures;
using gather::report::Colour;
using gather::report::digest;
using gather::report::figures_text;
using gather::report::table;
using gather::run::Exited;
using gather::run::Stopped;
using gather::test::MadeRun;

namespace {

/// `count` sleeps, each a millisecond longer than the one before, all at once.
MadeRun many(int count) {
  MadeRun run;
  for (int i = 0; i < count; ++i) run.task("t" + std::to_string(i)).ran(0s, 100ms + i * 1ms);
  return run;
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("the table shows up to forty tasks, of more the twenty slowest", "[report][summary]") {
  const MadeRun forty = many(40);
  CHECK(lines(table(forty.job, forty.record, 80, Colour::off)) == 41);

  const MadeRun thousand = many(1000);
  const std::string text = table(thousand.job, thousand.record, 80, Colour::off);
  CHECK(lines(text) == 22);
  CHECK_THAT(text, Catch::Contains("\nt999 ") && Catch::Contains("\nt980 ") && !Catch::Contains("\nt979 "));
  CHECK_THAT(text, Catch::EndsWith("\nthe 20 slowest; 980 more tasks not shown\n"));
}

TEST_CASE("the table keeps to the width, and long names are cut", "[report][summary]") {
  MadeRun run;
  run.task("a_task_with_a_name_that_goes_on_and_on").ran(0s, 1s);
  run.task("b").ran(1s, 1ms);
  CHECK(table(run.job, run.record, 80, Colour::off) ==
        "task                              state        start     took  0         1.00 s\n"
        "a_task_with_a_name_that_goes_on…  ok            0 ms   1.00 s  ████████████████\n"
        "b                                 ok          1.00 s   1.0 ms                 ▏\n");
}

TEST_CASE("with colour only the state is painted", "[report][summary]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, Exited{1});
  run.task("b").skipped_at(1s, "a");
  CHECK(table(run.job, run.record, 50, Colour::on) ==
        "task  state        start     took  0       1.00 s\n"
        "a     \x1b[31mfailed   \x1b[0m     0 ms   1.00 s  ██████████████\n"
        "b     \x1b[2mskipped  \x1b[0m\n");
}

TEST_CASE("a run of no length has a table without bars", "[report][summary]") {
  MadeRun run;
  run.task("a").is_milestone().passed_at(0s);
  CHECK(table(run.job, run.record, 50, Colour::off) ==
        "task  state        start     took  0         0 ms\n"
        "a     ok\n");
}

TEST_CASE("figures that can't be computed are left out", "[report][summary]") {
  MadeRun run;
  run.task("a").is_milestone().passed_at(0s);
  CHECK(figures_text(run.job, run.record, figures(run.job, run.record)) ==
        "tasks                    1   1 ok\n"
        "wall                  0 ms\n"
        "sum of task times     0 ms\n");
}

TEST_CASE("a long critical path is cut in the middle", "[report][summary]") {
  MadeRun run;
  run.task("t0").ran(0s, 1s);
  for (int i = 1; i < 12; ++i)
    run.task("t" + std::to_string(i)).needs({("t" + std::to_string(i - 1)).c_str()}).ran(i * 1s, 1s);
  CHECK_THAT(
      figures_text(run.job, run.record, figures(run.job, run.record)),
      Catch::Contains("critical path      12.00 s   t0 > t1 > t2 > t3 > t4 > t5 > t6 > … 4 more … > t11\n"));
}

TEST_CASE("loop lag is told when the figures can be doubted for it", "[report][summary]") {
  MadeRun run;
  run.task("a").ran(0s, 1s);
  const auto text = [&](gather::Duration p99) {
    run.record.lag = {.p50 = 0s, .p99 = p99, .most = 2 * p99};
    return figures_text(run.job, run.record, figures(run.job, run.record));
  };
  CHECK_THAT(text(5ms), !Catch::Contains("lag"));
  CHECK_THAT(
      text(6ms),
      Catch::EndsWith("loop lag            6.0 ms   p99, at most 12 ms: times can be too long by as much\n"));
  run.task("b").ran(0s, 10ms);
  run.task("c").ran(0s, 10ms);
  CHECK_THAT(text(1ms), Catch::Contains("loop lag"));
}

TEST_CASE("a good run has no digest", "[report][digest]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, Exited{1}).ran(2s, 1s);
  CHECK(digest(run.job, run.record, {}, Colour::off).empty());
}

TEST_CASE("after an interruption the digest says what was cancelled", "[report][digest]") {
  MadeRun run;
  run.task("done").ran(0s, 1s);
  run.task("bad").ran(0s, 1s, Exited{1});
  run.task("dependant").needs({"bad"}).skipped_at(1s, "bad");
  run.task("busy").ran(0s, 2s, Stopped{"interrupted", true});
  run.task("next").cancelled_at(2s, "interrupted");
  run.record.stopped = "interrupted";
  CHECK(digest(run.job, run.record, {}, Colour::off) ==
        "stopped: interrupted\n"
        "1 of 5 tasks failed, 1 cancelled, 1 never started, 1 skipped\n"
        "  failed     bad: exit status 1 (1 task skipped because of it)\n"
        "  cancelled  busy: interrupted, and was killed after its grace\n");
}

TEST_CASE("the digest names forty tasks and counts the rest", "[report][digest]") {
  MadeRun run;
  for (int i = 0; i < 100; ++i) run.task("t" + std::to_string(i)).ran(0s, 1s, Exited{1});
  const std::string text = digest(run.job, run.record, {}, Colour::off);
  CHECK(lines(text) == 42);
  CHECK_THAT(text, Catch::StartsWith("100 of 100 tasks failed\n") && Catch::EndsWith("  and 60 more\n"));
}

TEST_CASE("tasks skipped because of a skipped one count for the one that failed", "[report][digest]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, Exited{1});
  run.task("b").skipped_at(1s, "a");
  run.task("c").skipped_at(1s, "b");
  CHECK_THAT(digest(run.job, run.record, {}, Colour::off),
             Catch::Contains("(2 tasks skipped because of it)"));
}
