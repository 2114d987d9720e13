#include "core/report/joblog.hpp"

#include "tests/unit/analyse/made_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::report;
using gather::test::MadeRun;
namespace run = gather::run;
using Counts = std::map<std::string, std::size_t, std::less<>>;

TEST_CASE("the job log has parallel's columns, and no line for what has to be done again",
          "[report][joblog]") {
  MadeRun made;
  made.task("good").ran(0s, 1250ms);
  made.task("bad").ran(500ms, 10ms, run::Exited{3});
  made.task("dead").ran(0s, 1s, run::Signalled{9, false});
  made.task("late").ran(0s, 2s, run::TimedOut{2s, false});
  made.task("gone").ran(0s, 0s, run::NotStarted{"no such program"});
  made.task("stopped").ran(0s, 3s, run::Stopped{"interrupted", false});
  made.task("never").cancelled_at(3s, "interrupted");
  made.record.began = std::chrono::system_clock::time_point(1000s);
  std::string text;
  Joblog log(
      [&](gather::job::TaskId id) { return Joblog::Entry{gather::job::index(id) + 1, made.job[id].id}; },
      [&](std::string_view line) { text += line; });

  log.run_started(made.job, made.record);
  for (std::size_t i = 0; i < made.job.tasks.size(); ++i)
    log.task_ended(gather::job::TaskId(i), made.record.tasks[i], {});

  CHECK(text ==
        "1\t:\t1000.000\t     1.250\t0\t0\t0\t0\tgood\n"
        "2\t:\t1000.500\t     0.010\t0\t0\t3\t0\tbad\n"
        "3\t:\t1000.000\t     1.000\t0\t0\t0\t9\tdead\n"
        "4\t:\t1000.000\t     2.000\t0\t0\t-1\t15\tlate\n"
        "5\t:\t1000.000\t     0.000\t0\t0\t127\t0\tgone\n");
  const std::string file = std::string(joblog_header) + text;
  CHECK(read_joblog(file, "log", Resume::ended) ==
        Counts{{"bad", 1}, {"dead", 1}, {"gone", 1}, {"good", 1}, {"late", 1}});
  CHECK(read_joblog(file, "log", Resume::passed) == Counts{{"good", 1}});
}

TEST_CASE("a job log that was cut at any place is read as far as its lines are whole", "[report][joblog]") {
  const std::string file =
      std::string(joblog_header) + "1\t:\t1\t2\t0\t0\t0\t0\techo a\tb\n2\t:\t1\t2\t0\t0\t0\t0\techo c\n";
  for (std::size_t length = 0; length <= file.size(); ++length) {
    const auto lines = static_cast<std::size_t>(
        std::count(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length), '\n'));
    const Counts counts = read_joblog(std::string_view(file).substr(0, length), "log", Resume::ended);
    CHECK(counts.size() == (lines == 0 ? 0 : lines - 1));
  }
  CHECK(read_joblog(file, "log", Resume::ended) == Counts{{"echo a\tb", 1}, {"echo c", 1}});
}

TEST_CASE("what is no job log is named with its line", "[report][joblog]") {
  CHECK_THROWS_WITH(read_joblog("Seq\tHost\nhello\n", "my.log", Resume::ended), Catch::Contains("my.log:2:"));
}
