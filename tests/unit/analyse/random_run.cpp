#include "tests/unit/analyse/random_run.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"

#include <fmt/format.h>

namespace gather::test {
namespace {

using std::chrono::nanoseconds;

std::uint64_t below(run::Random& random, std::uint64_t limit) { return random() % limit; }

bool chance(run::Random& random, double share) {
  return static_cast<double>(below(random, 1'000'000)) < share * 1e6;
}

class RandomExecutor final : public run::Executor {
 public:
  RandomExecutor(run::Random& random, double failing) : random_(random), failing_(failing) {}

  async::Co<> attempt(const run::AttemptContext&, run::AttemptResult& result) override {
    const bool fails = chance(random_, failing_);
    co_await async::sleep(nanoseconds(below(random_, 50'000'001)));
    if (fails) result.outcome = run::Exited{1};
  }

 private:
  run::Random& random_;
  double failing_;
};

job::Action random_action(run::Random& random) {
  switch (below(random, 8)) {
    case 0:
      return job::Milestone{};
    case 1:
    case 2:
      return job::Run{{"true"}};
    case 3:
      return job::Shell{"true"};
    case 4:
    case 5: {
      auto fetch = std::make_unique<job::Fetch>();
      fetch->url = fmt::format("http://h{}.test/", below(random, 3));
      return fetch;
    }
    default:
      return job::Sleep{};
  }
}

}  // namespace

job::Job random_job(run::Random& random) {
  job::Job job;
  const std::size_t count = 1 + below(random, 40);
  for (std::size_t i = 0; i < count; ++i) {
    job::Task task;
    task.id = "t" + std::to_string(i);
    task.action = random_action(random);
    for (std::size_t need = 0; need < i; ++need)
      if (chance(random, 2.0 / static_cast<double>(count))) task.needs.push_back(job::TaskId(need));
    if (chance(random, 0.2)) task.delay = nanoseconds(below(random, 20'000'000));
    if (chance(random, 0.2)) task.timeout = nanoseconds(1 + below(random, 40'000'000));
    job::RetryPolicy policy;
    policy.attempts = 1 + static_cast<int>(below(random, 3));
    policy.delay = nanoseconds(below(random, 10'000'000));
    task.retry = std::make_shared<const job::RetryPolicy>(policy);
    job.tasks.push_back(std::move(task));
  }
  return job;
}

run::Record run_in_virtual_time(const job::Job& job, const run::LimitsInForce& limits, run::Random& random,
                                std::optional<Duration> deadline, double failing) {
  async::Loop loop(async::make_virtual_poller());
  RandomExecutor executor(random, failing);
  run::Observer nobody;
  const run::StatedDurations durations;
  run::Options options;
  options.limits = limits;
  options.deadline = deadline;
  run::Scheduler scheduler(job, options, durations, {executor, executor, executor}, random, nobody);
  return loop.run(scheduler.run());
}

}  // namespace gather::test
