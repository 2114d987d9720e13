#include "core/report/leaks.hpp"

#include <catch2/catch.hpp>

using namespace gather;

namespace {

/// Of tasks with these ids, those at the end of whose names stands a star have leaked.
std::string leaks_of(const std::vector<std::string>& ids) {
  job::Job job;
  run::Record record;
  for (const std::string& id : ids) {
    const bool leaked = id.ends_with('*');
    job.tasks.emplace_back().id = leaked ? id.substr(0, id.size() - 1) : id;
    run::TaskRecord task;
    task.attempts.emplace_back().leaked = leaked;
    task.attempts.emplace_back();
    record.tasks.push_back(std::move(task));
  }
  return report::leaks(job, record);
}

}  // namespace

TEST_CASE("the tasks that left processes behind are named, eight at most", "[report]") {
  CHECK(leaks_of({"a", "b"}).empty());
  CHECK(leaks_of({"a", "b*"}) == "b left processes behind, which were ended\n");
  CHECK(leaks_of({"a*", "b*"}) == "a and b left processes behind, which were ended\n");
  CHECK(leaks_of({"a*", "b*", "c*"}) == "a, b and c left processes behind, which were ended\n");
  CHECK(leaks_of({"a*", "b*", "c*", "d*", "e*", "f*", "g*", "h*", "i*", "j*"}) ==
        "a, b, c, d, e, f, g, h and 2 more left processes behind, which were ended\n");
}

TEST_CASE("what runs on is named with its process, harmless on a terminal", "[report]") {
  const job::Job job;
  run::Record record;
  record.left_running = {{"db", 4711, "redis \x1b[31m", true}, {"", 12, "sleep 9", true}};
  CHECK(report::leaks(job, record) ==
        "db has left 4711 running: redis \\x1b[31m\na task has left 12 running: sleep 9\n");
}
