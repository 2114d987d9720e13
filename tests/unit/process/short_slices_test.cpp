#include "core/process/launcher/short_slices.hpp"

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

using gather::process::launcher::ask_for_short_slices;

namespace {

/// What a child is scheduled by, as its exit status: 0 for what everybody has.
int scheduling_of_child() {
  const pid_t child = fork();
  if (child == 0) {
    const bool usual = sched_getscheduler(0) == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == 0;
    _exit(usual ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

}  // namespace

TEST_CASE("children do not inherit the short slices, and who has a priority of its own keeps it",
          "[process]") {
  // On a thread, since what is asked for stays.
  std::thread([] {
    const int niceness = getpriority(PRIO_PROCESS, 0);
    const int before = scheduling_of_child();
    ask_for_short_slices();
    if (niceness >= 0) CHECK((sched_getscheduler(0) & SCHED_RESET_ON_FORK) != 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == niceness);
    CHECK(scheduling_of_child() == before);
  }).join();
  std::thread([] {
    sched_param none{};
    REQUIRE(sched_setscheduler(0, SCHED_BATCH, &none) == 0);
    ask_for_short_slices();
    CHECK(sched_getscheduler(0) == SCHED_BATCH);
  }).join();
}
