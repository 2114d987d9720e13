#include "tests/unit/analyse/made_run.hpp"

#include <algorithm>
#include <stdexcept>

namespace gather::test {

using Builder = MadeRun::TaskBuilder;

MadeRun::MadeRun() {
  job.name = "made";
  record.limits = {64, 4, 32};
}

Builder MadeRun::task(const std::string& id) {
  job::Task task;
  task.id = id;
  task.action = job::Sleep{};
  task.retry = std::make_shared<job::RetryPolicy>();
  job.tasks.push_back(std::move(task));
  record.tasks.emplace_back();
  return {*this, job.tasks.size() - 1};
}

job::TaskId MadeRun::id(const std::string& id) const {
  const auto found = std::ranges::find(job.tasks, id, &job::Task::id);
  if (found == job.tasks.end()) throw std::out_of_range(id);
  return job::TaskId(found - job.tasks.begin());
}

Builder& Builder::is_process() {
  task().action = job::Run{{"make", task().id}};
  return *this;
}

Builder& Builder::is_fetch() {
  job::Fetch fetch;
  fetch.url = "http://localhost/" + task().id;
  task().action = std::make_unique<const job::Fetch>(std::move(fetch));
  return *this;
}

Builder& Builder::is_milestone() {
  task().action = job::Milestone{};
  return *this;
}

Builder& Builder::needs(std::initializer_list<const char*> ids) {
  for (const char* each : ids) task().needs.push_back(made_.id(each));
  return *this;
}

Builder& Builder::ran(Duration start, Duration length, run::Outcome outcome) {
  run::TaskRecord& of = record();
  const int number = static_cast<int>(of.attempts.size()) + 1;
  of.state = run::State::failed;
  of.reason = run::describe(outcome);
  if (run::passed(outcome)) {
    of.state = number > 1 ? run::State::flaky : run::State::passed;
    of.reason = number > 1 ? "passed at attempt 2 of 3" : "";
  }
  if (std::holds_alternative<run::TimedOut>(outcome)) of.state = run::State::timed_out;
  if (std::holds_alternative<run::Stopped>(outcome)) of.state = run::State::cancelled;
  run::AttemptRecord attempt;
  attempt.number = number;
  attempt.start = start;
  attempt.length = length;
  attempt.outcome = std::move(outcome);
  of.attempts.push_back(std::move(attempt));
  if (!of.ready_at) of.ready_at = start;
  of.slot = 1;
  of.ended_at = start + length;
  made_.record.wall = std::max(made_.record.wall, *of.ended_at);
  return *this;
}

Builder& Builder::passed_at(Duration when) {
  record().state = run::State::passed;
  record().ready_at = record().ended_at = when;
  return *this;
}

Builder& Builder::skipped_at(Duration when, const char* cause) {
  record().state = run::State::skipped;
  record().cause = made_.id(cause);
  record().reason = std::string(cause) + " failed";
  record().ended_at = when;
  return *this;
}

Builder& Builder::cancelled_at(Duration when, const char* why) {
  record().state = run::State::cancelled;
  record().reason = why;
  record().ended_at = when;
  return *this;
}

}  // namespace gather::test
