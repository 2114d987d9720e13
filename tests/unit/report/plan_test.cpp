#include "core/report/plan.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace std::chrono_literals;
using gather::report::plan_text;
using gather::report::PlanRows;
using gather::test::MadeRun;

TEST_CASE("a plan lists tasks in the order of admission, with limits and bounds", "[report][plan]") {
  MadeRun run;
  run.task("index").is_fetch();
  run.task("warm");
  run.job.tasks[1].action = gather::job::Sleep{500ms};
  run.task("build").is_process().needs({"index", "warm"});
  run.job.tasks[2].estimate = 8s;
  run.task("urgent");
  run.job.tasks[3].priority = 1;
  run.task("all").is_milestone().needs({"build", "urgent"});

  CHECK(plan_text(run.job, gather::run::StatedDurations(), {}, {8, 4, 32}, PlanRows::first_hundred) ==
        "   task    action                      needs          expected  path ahead\n"
        "1  urgent  sleep 0s                    -                  0 ms        0 ms\n"
        "2  index   GET http://localhost/index  -               ~1.00 s      9.00 s\n"
        "3  warm    sleep 500ms                 -                500 ms      8.50 s\n"
        "4  build   make build                  index, warm      8.00 s      8.00 s\n"
        "5  all     milestone                   build, urgent      0 ms        0 ms\n"
        "\n"
        "made   5 tasks, jobs=8 processes=4 fetches=32\n"
        "sum of task times   8.50 s\n"
        "critical path       8.50 s   warm > build\n"
        "lower bound         8.50 s   from critical path\n"
        "~ is a guess: the length of 1 task is not known, and these figures count it as 0; `estimate` states "
        "it\n");
}

TEST_CASE("a plan of a big job shows a hundred tasks and counts the rest", "[report][plan]") {
  MadeRun run;
  for (int i = 0; i < 250; ++i) run.task("t" + std::to_string(i));
  const gather::run::StatedDurations durations;
  CHECK_THAT(plan_text(run.job, durations, {}, run.record.limits, PlanRows::first_hundred),
             Catch::Contains("\n100  t99 ") && !Catch::Contains("\n101  t100 ") &&
                 Catch::Contains("\nand 150 more tasks; -v lists them all\n"));
  CHECK_THAT(plan_text(run.job, durations, {}, run.record.limits, PlanRows::all),
             Catch::Contains("\n250  t249 "));
}

TEST_CASE("a plan names the hosts that have more tasks than places, or a rate", "[report][plan]") {
  MadeRun run;
  for (int i = 0; i < 7; ++i) run.task("a" + std::to_string(i)).is_fetch();
  const auto hosts_of = [&](std::vector<gather::job::HostLimit> limits) {
    const std::string text = plan_text(run.job, gather::run::StatedDurations(), {},
                                       {8, 4, 32, std::move(limits)}, PlanRows::first_hundred);
    const std::size_t begin = text.find("host localhost");
    return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
  };
  CHECK(hosts_of({}) == "host localhost:80   7 tasks, 6 at once");
  CHECK(hosts_of({{.max = 7}}) == "");
  CHECK(hosts_of({{.max = 9, .rate = gather::job::Rate{5, std::chrono::seconds(1)}}}) ==
        "host localhost:80   7 tasks, 9 at once, 5/s");
}

TEST_CASE("a task that needs many names as many as fit", "[report][plan]") {
  MadeRun run;
  for (int i = 0; i < 50; ++i) run.task("task" + std::to_string(i));
  run.task("last").is_milestone();
  for (std::uint32_t i = 0; i < 50; ++i) run.job.tasks[50].needs.push_back(gather::job::TaskId(i));
  CHECK_THAT(plan_text(run.job, gather::run::StatedDurations(), {}, run.record.limits, PlanRows::all),
             Catch::Contains("  task0, task1, task2, task3, task4, task…  "));
}

TEST_CASE("the plan follows the schedule that was asked for, and counts delays", "[report][plan]") {
  using gather::run::Schedule;
  MadeRun run;
  for (const auto& [id, length] : {std::pair{"short", 10ms}, {"delayed", 5ms}, {"long", 500ms}}) {
    run.task(id);
    run.job.tasks.back().action = gather::job::Sleep{length};
  }
  run.job.tasks[1].delay = 1s;
  const auto order = [&](const gather::run::Order& wanted) {
    const std::string text =
        plan_text(run.job, gather::run::StatedDurations(), wanted, {1, 1, 1}, PlanRows::all);
    std::vector<std::pair<std::size_t, char>> places;
    for (const std::string id : {"short", "delayed", "long"})
      places.emplace_back(text.find("  " + id), id.front());
    std::ranges::sort(places);
    return std::string{places[0].second, places[1].second, places[2].second};
  };
  CHECK(order({}) == "dls");
  CHECK(order({.schedule = Schedule::fifo}) == "sdl");
  CHECK(order({.schedule = Schedule::lpt}) == "lsd");
  CHECK(order({.shuffle_seed = 1}) == order({.shuffle_seed = 1}));
}
