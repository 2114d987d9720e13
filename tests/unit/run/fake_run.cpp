#include "tests/unit/run/fake_run.hpp"

#include "core/async/task/error.hpp"
#include "core/async/task/future.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::test {

using Builder = FakeRun::TaskBuilder;

Builder& Builder::takes(Duration length) {
  run_.scripts_[index_].length = length;
  if (std::holds_alternative<job::Sleep>(task().action)) task().action = job::Sleep{length};
  return *this;
}
Builder& Builder::ends(std::vector<run::Outcome> outcomes) {
  run_.scripts_[index_].outcomes.assign(outcomes.begin(), outcomes.end());
  return *this;
}
Builder& Builder::stops_in(Duration length) {
  run_.scripts_[index_].stopping = length;
  return *this;
}
Builder& Builder::timeout(Duration limit) {
  task().timeout = limit;
  return *this;
}
Builder& Builder::delay(Duration length) {
  task().delay = length;
  return *this;
}
Builder& Builder::retries(int number, Duration wait) {
  job::RetryPolicy policy;
  policy.attempts = number + 1;
  policy.delay = wait;
  policy.jitter = false;
  task().retry = std::make_shared<job::RetryPolicy>(policy);
  return *this;
}
Builder& Builder::priority(int value) {
  task().priority = value;
  return *this;
}
Builder& Builder::is_process() {
  task().action = job::Run{{"true"}};
  task().estimate = run_.scripts_[index_].length;
  return *this;
}
Builder& Builder::is_milestone() {
  task().action = job::Milestone{};
  return *this;
}

FakeRun::FakeRun() : loop_(async::make_virtual_poller()) { options.limits = {64, 64, 64}; }

Builder FakeRun::task(const std::string& id) {
  job::Task task;
  task.id = id;
  task.action = job::Sleep{};
  task.retry = std::make_shared<job::RetryPolicy>();
  ids_.emplace(id, job_.tasks.size());
  job_.tasks.push_back(std::move(task));
  scripts_.emplace_back();
  return Builder(*this, scripts_.size() - 1);
}

void FakeRun::needs(const std::string& id, const std::string& needed) {
  job_.tasks[ids_.at(id)].needs.push_back(job::TaskId(ids_.at(needed)));
}

void FakeRun::at(Duration when, std::function<void(run::Scheduler&)> action) {
  actions_.emplace_back(when, std::move(action));
}

std::string FakeRun::trace() {
  run::Random random(seed);
  endings.assign(job_.tasks.size(), 0);
  const run::StatedDurations durations;
  run::Scheduler scheduler(job_, options, durations, {*this, *this, *this}, random, *this);
  if (stop_first) scheduler.stop(*stop_first);
  for (auto& [when, action] : actions_) loop_.call_later(when, [&scheduler, &action] { action(scheduler); });
  record_ = loop_.run(scheduler.run());
  return trace_;
}

async::Co<> FakeRun::attempt(const run::AttemptContext& context, run::AttemptResult& result) {
  most_running = std::max(most_running, ++running_);
  Script& script = scripts_[job::index(context.id)];
  bool cancelled = false;
  try {
    co_await async::sleep(script.length);
  } catch (const async::Cancelled&) {
    cancelled = true;
  }
  if (cancelled) {
    try {
      co_await async::sleep(script.stopping);
    } catch (const async::Cancelled&) {
      result.killed = true;
    }
    --running_;
    throw async::Cancelled{};
  }
  if (script.outcomes.empty()) {
    result.outcome = run::Passed{};
  } else {
    result.outcome = script.outcomes.front();
    script.outcomes.pop_front();
  }
  --running_;
}

void FakeRun::note(const std::string& text) {
  trace_ += fmt::format("{:4} ms {}\n",
                        std::chrono::floor<std::chrono::milliseconds>(loop_.now().time_since_epoch()).count(),
                        text);
}

void FakeRun::attempt_started(job::TaskId id, int number) {
  note(number == 1 ? job_[id].id + " starts" : fmt::format("{} starts again ({})", job_[id].id, number));
}

void FakeRun::attempt_failed(job::TaskId id, const run::AttemptRecord&, Duration wait,
                             const run::AttemptOutput&) {
  note(fmt::format("{} will be tried again in {}", job_[id].id, show(wait)));
}

void FakeRun::task_ended(job::TaskId id, const run::TaskRecord& task, std::span<const run::AttemptOutput>) {
  ++endings[job::index(id)];
  note(fmt::format("{} {}{}{}", job_[id].id, name(task.state), task.reason.empty() ? "" : ": ", task.reason));
}

void FakeRun::run_stopping(std::string_view why) { note(fmt::format("stopping: {}", why)); }

}  // namespace gather::test
