#include "core/run/halt.hpp"

#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

using namespace gather;
using namespace std::chrono_literals;
using run::Halt;
using run::parse_halt;
using test::FakeRun;

TEST_CASE("a halt is written as for parallel", "[run][halt]") {
  CHECK(parse_halt("never").value() == std::optional<Halt>());
  CHECK(parse_halt("now,fail=1").value() == Halt{});
  CHECK(parse_halt("soon,success=3").value() == Halt{Halt::When::soon, Halt::Why::success, 3});
  CHECK(parse_halt("now,done=12.5%").value() == Halt{Halt::When::now, Halt::Why::done, 12.5, true});
  const std::string wrong =
      GENERATE("", "now", "later,fail=1", "now,fail", "now,fail=", "now,fail=0", "now,fail=x", "now,fail=1.5",
               "now,fail=101%", "now,fail=-1", "soon,fails=1", "now,fail=1 ");
  CAPTURE(wrong);
  REQUIRE_FALSE(parse_halt(wrong));
  CHECK_THAT(parse_halt(wrong).error(), Catch::Contains("is no halt"));
}

TEST_CASE("a percentage is of all tasks, and counts from the third ending on", "[run][halt]") {
  const Halt halt{Halt::When::soon, Halt::Why::fail, 10, true};
  CHECK_FALSE(halt.reached({1, 1}, 4));
  CHECK(halt.reached({1, 2}, 4));
  CHECK_FALSE(halt.reached({1, 2}, 11));
}

TEST_CASE("halted soon, nothing new starts and what runs goes on to its end", "[run][halt]") {
  FakeRun run;
  run.options.limits = {2, 2, 2};
  run.options.halt = Halt{Halt::When::soon, Halt::Why::fail, 1};
  run.task("bad").takes(10ms).ends({run::Exited{3}});
  run.task("long").takes(30ms);
  run.task("never").takes(10ms);
  const std::string trace = run.trace();
  CHECK_THAT(trace, Catch::Contains("30 ms long passed"));
  CHECK_THAT(trace, !Catch::Contains("never starts"));
  CHECK(run.record().exit == ExitStatus::task_failed);
}

TEST_CASE("a signal still stops a run that was halted soon", "[run][halt]") {
  FakeRun run;
  run.options.halt = Halt{Halt::When::soon, Halt::Why::fail, 1};
  run.task("bad").takes(10ms).ends({run::Exited{3}});
  run.task("long").takes(10s).stops_in(5ms);
  run.at(20ms,
         [](run::Scheduler& scheduler) { scheduler.stop({"interrupted", SIGINT, ExitStatus::interrupted}); });
  run.trace();
  CHECK(run.record().exit == ExitStatus::interrupted);
  CHECK(run.record().wall == 25ms);
}

TEST_CASE("a halt at the first success cancels the rest and is a success", "[run][halt]") {
  FakeRun run;
  run.options.halt = Halt{Halt::When::now, Halt::Why::success, 1};
  run.task("slow").takes(1s);
  run.task("fast").takes(10ms);
  run.trace();
  CHECK(run.record().tasks[0].state == run::State::cancelled);
  CHECK(run.record().tasks[1].state == run::State::passed);
  CHECK(run.record().exit == ExitStatus::success);
  CHECK(run.record().wall == 10ms);
}

TEST_CASE("a job without tasks ends at once", "[run][scheduler]") {
  FakeRun run;
  CHECK(run.trace().empty());
  CHECK(run.record().exit == ExitStatus::success);
}
