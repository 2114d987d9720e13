#include "core/analyse/waits.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::test::MadeRun;

TEST_CASE("a task's wait is split into needs, delay, what it lacked, and retries", "[analyse][waits]") {
  MadeRun run;
  run.task("a").ran(0s, 2s);
  run.task("b").needs({"a"}).ran(6s, 1s, gather::run::Exited{1}).ran(12s, 1s);
  run.record.tasks[1].released_by = run.id("a");
  run.record.tasks[1].ready_at = 3s;
  run.record.tasks[1].lacked = {1s, 3s, 2s};  // 3 s of them before the first attempt.

  const auto waits = gather::analyse::waits(run.record, run.record.tasks[1]);

  CHECK(waits.dependency == 2s);
  CHECK(waits.delay == 1s);
  CHECK(waits.slot == 1s);
  CHECK(waits.host == 3s);
  CHECK(waits.rate == 2s);
  CHECK(waits.retry == 2s);
}

TEST_CASE("what an attempt waited for between two mirrors is no wait for a retry",
          "[analyse][waits][mirror]") {
  MadeRun run;
  // Asked for 1 s, waited 3 s for the next host, asked for 1 s; then a back-off of 2 s.
  run.task("a").is_fetch().ran(0s, 2s, gather::run::UnexpectedStatus{503}).ran(7s, 1s);
  run.record.tasks[0].ready_at = 0s;
  run.record.tasks[0].lacked = {0s, 3s};
  const auto waits = gather::analyse::waits(run.record, run.record.tasks[0]);
  CHECK(waits.host == 3s);
  CHECK(waits.retry == 2s);
}

TEST_CASE("a skipped task waited for nothing that is known", "[analyse][waits]") {
  MadeRun run;
  run.task("a").ran(0s, 1s, gather::run::Exited{1});
  run.task("b").needs({"a"}).skipped_at(1s, "a");
  const auto waits = gather::analyse::waits(run.record, run.record.tasks[1]);
  CHECK(!waits.dependency);
  CHECK(!waits.slot);
}
