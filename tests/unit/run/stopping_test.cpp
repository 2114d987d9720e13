#include "tests/unit/run/fake_run.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::ExitStatus;
using gather::test::FakeRun;

namespace {

const StopRequest interrupt{"interrupted", SIGINT, ExitStatus::interrupted};

}  // namespace

TEST_CASE("the first stop starts nothing more and lets what runs end politely", "[run][stop]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.task("running").takes(1h).stops_in(30ms);
  run.task("ready").takes(1h);
  run.task("waiting").needs("ready");
  run.at(10ms, [](Scheduler& scheduler) { scheduler.stop(interrupt); });

  CHECK(run.trace() ==
        "   0 ms running starts\n  10 ms stopping: interrupted\n"
        "  10 ms ready cancelled: interrupted\n  10 ms waiting cancelled: interrupted\n"
        "  40 ms running cancelled: interrupted\n");
  CHECK(run.record().exit == ExitStatus::interrupted);
  CHECK(run.record().stopped == "interrupted");
}

TEST_CASE("the second stop kills, and a third changes nothing", "[run][stop]") {
  FakeRun run;
  run.task("stubborn").takes(1h).stops_in(1h);
  for (const auto when : {10ms, 20ms, 20ms})
    run.at(when, [](Scheduler& scheduler) { scheduler.stop(interrupt); });

  CHECK(run.trace() ==
        "   0 ms stubborn starts\n  10 ms stopping: interrupted\n"
        "  20 ms stubborn cancelled: interrupted, and was killed after its grace\n");
}

TEST_CASE("a task that waits to retry is cancelled by a stop", "[run][stop]") {
  FakeRun run;
  run.task("a").takes(10ms).ends({Exited{1}}).retries(3, 1h);
  run.at(20ms, [](Scheduler& scheduler) { scheduler.stop(interrupt); });

  CHECK(run.trace() ==
        "   0 ms a starts\n  10 ms a will be tried again in 30.00 s\n  20 ms stopping: interrupted\n"
        "  20 ms a cancelled: interrupted\n");
}

TEST_CASE("a task admitted in the same instant as the stop never starts", "[run][stop]") {
  FakeRun run;
  run.options.limits.jobs = 1;
  run.task("a").takes(10ms);
  run.task("b").takes(10ms).needs("a");
  run.at(10ms, [](Scheduler& scheduler) { scheduler.stop(interrupt); });

  run.trace();

  CHECK(run.record().tasks[1].state == State::cancelled);
  CHECK(run.record().tasks[1].attempts.empty());
}

TEST_CASE("with fail-fast the first failure stops the run", "[run][stop]") {
  FakeRun run;
  run.options.halt = gather::run::Halt{};
  run.task("bad").takes(10ms).ends({Exited{1}});
  run.task("long").takes(1h);

  CHECK(run.trace() ==
        "   0 ms long starts\n   0 ms bad starts\n  10 ms bad failed: exit status 1\n"
        "  10 ms stopping: bad failed, and the run fails fast\n"
        "  10 ms long cancelled: bad failed, and the run fails fast\n");
  CHECK(run.record().exit == ExitStatus::task_failed);
}

TEST_CASE("the run's deadline stops it, with a status of its own", "[run][stop]") {
  FakeRun run;
  run.options.deadline = 25ms;
  run.task("long").takes(1h);

  CHECK(run.trace() ==
        "   0 ms long starts\n  25 ms stopping: the run's deadline passed\n"
        "  25 ms long cancelled: the run's deadline passed\n");
  CHECK(run.record().exit == ExitStatus::deadline);
}

TEST_CASE("a signal after the deadline decides the status", "[run][stop]") {
  FakeRun run;
  run.options.deadline = 5ms;
  run.task("long").takes(1h).stops_in(1h);
  run.at(10ms, [](Scheduler& scheduler) { scheduler.stop(interrupt); });

  run.trace();

  CHECK(run.record().exit == ExitStatus::interrupted);
  CHECK(run.record().wall == 10ms);
}

TEST_CASE("a wrong checksum decides the status over other failures", "[run][stop]") {
  FakeRun run;
  run.task("a").ends({Exited{1}});
  run.task("b").ends({ChecksumMismatch{"00", "11"}});

  run.trace();

  CHECK(run.record().exit == ExitStatus::checksum);
}

TEST_CASE("stopped before it began, a run starts nothing", "[run][stop]") {
  FakeRun run;
  run.task("a").takes(10ms);
  run.stop_first = interrupt;

  CHECK(run.trace() == "   0 ms a cancelled: interrupted\n");
}
