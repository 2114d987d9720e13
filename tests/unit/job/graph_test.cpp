#include "core/job/graph.hpp"

#include "core/base/error.hpp"
#include "tests/unit/job/jobs.hpp"

#include <catch2/catch.hpp>

using namespace gather::job;
using namespace std::chrono_literals;
using gather::Duration;

namespace {

/// A diamond with a tail, listed out of order.
Job diamond() {
  return job_of(
      yaml("tasks: {end: {needs: join}, left: {needs: start}, join: {needs: [left, right]}, start: {}, "
           "right: {needs: start}, alone: {}}"));
}

const std::vector<Duration> lengths{1s, 2s, 4s, 8s, 3s, 5s};  // In the order of the file.

}  // namespace

TEST_CASE("dependants are the needs the other way round, in file order", "[job][graph]") {
  const Job job = diamond();
  const Dependants dependants(job);
  const auto of = [&](std::size_t task) {
    const auto ids = dependants.of(TaskId(task));
    return ids_of(job, {ids.begin(), ids.end()});
  };
  CHECK(of(3) == "left right");
  CHECK(of(1) == "join");
  CHECK(of(0) == "");
}

TEST_CASE("every task comes after what it needs, and otherwise in file order", "[job][graph]") {
  const Job job = diamond();
  CHECK(ids_of(job, topological_order(job)) == "start left right join end alone");
}

TEST_CASE("a file that is in order stays as it is", "[job][graph]") {
  const Job job = job_of(yaml("tasks: {a: {}, b: {needs: a}, c: {}, d: {needs: [b, c]}, e: {}}"));
  CHECK(ids_of(job, topological_order(job)) == "a b c d e");
}

TEST_CASE("a rank is the longest way from a task's start to the end", "[job][graph]") {
  CHECK(upward_ranks(diamond(), lengths) == std::vector<Duration>{1s, 7s, 5s, 16s, 8s, 5s});
}

TEST_CASE("ranks do not overflow", "[job][graph]") {
  const Job job = job_of(yaml("tasks: {a: {}, b: {needs: a}, c: {needs: b}}"));
  const std::vector<Duration> long_ones(3, Duration::max() / 2);
  CHECK(upward_ranks(job, long_ones)[0] == Duration::max());
}

TEST_CASE("the critical path is the chain that takes longest", "[job][graph]") {
  const Job job = diamond();
  CHECK(ids_of(job, critical_path(job, lengths)) == "start right join end");
}

TEST_CASE("of equally long chains the first in the file is critical, from end to end", "[job][graph]") {
  const Job job = job_of(yaml("tasks: {a: {needs: m}, b: {needs: m}, m: {}, z: {needs: a}}"));
  CHECK(ids_of(job, critical_path(job, std::vector<Duration>{1s, 1s, 0s, 0s})) == "m a z");
  CHECK(critical_path(Job{}, {}).empty());
}

TEST_CASE("selected tasks bring along all they need, in file order", "[job][graph]") {
  const Job job = select(diamond(), std::vector<std::string>{"alone", "left"});
  CHECK(ids_of(job, topological_order(job)) == "start left alone");
  CHECK(job.tasks[0].id == "left");
  CHECK(job.tasks[0].needs == std::vector<TaskId>{TaskId{1}});
}

TEST_CASE("selecting a task that is not there is wrong usage, with the nearest name", "[job][graph]") {
  CHECK_THROWS_WITH(select(diamond(), std::vector<std::string>{"rigth"}),
                    "job.yaml has no task `rigth`; did you mean `right`?");
  CHECK_THROWS_WITH(select(diamond(), std::vector<std::string>{"nothing-like-it"}),
                    "job.yaml has no task `nothing-like-it`; `gather plan` lists the tasks");
}
