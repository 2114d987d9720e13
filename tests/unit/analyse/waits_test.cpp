#include "core/analyse/waits.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using gather::test::MadeRun;

TEST_CASE("a task's wait is split into needs, delay, slot and retries", "[analyse][waits]") {
  MadeRun run;
  run.task("a").ran(0s, 2s);
  run.task("b").needs({"a"}).ran(6s, 1s, gather::run::Exited{1}).ran(9s, 1s);
  run.record.tasks[1].released_by = run.id("a");
  run.record.tasks[1].ready_at = 3s;

  const auto waits = gather::analyse::waits(run.record, run.record.tasks[1]);

  CHECK(waits.dependency == 2s);
  CHECK(waits.delay == 1s);
  CHECK(waits.slot == 3s);
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
