#include "core/run/durations.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather;

namespace {

job::Task task(job::Action action, std::optional<Duration> estimate = {}) {
  job::Task result;
  result.action = std::move(action);
  result.estimate = estimate;
  return result;
}

}  // namespace

TEST_CASE("what is not known is expected to take the median of its kind, or a second", "[run][durations]") {
  job::Job job;
  job.tasks.push_back(task(job::Sleep{3s}));
  job.tasks.push_back(task(job::Run{{"a"}}, 1s));
  job.tasks.push_back(task(job::Run{{"b"}}, 5s));
  job.tasks.push_back(task(job::Run{{"c"}}, 9s));
  job.tasks.push_back(task(job::Run{{"d"}}));
  job.tasks.push_back(task(std::make_unique<const job::Fetch>()));
  job.tasks.push_back(task(job::Milestone{}));

  CHECK(run::expected_durations(job, run::StatedDurations()) ==
        std::vector<Duration>{3s, 1s, 5s, 9s, 5s, 1s, 0s});
}
