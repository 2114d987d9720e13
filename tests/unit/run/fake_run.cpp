#include "tests/unit/run/fake_run.hpp"

#include "core/async/task/error.hpp"
#include "core/async/task/future.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::test {

using Builder = FakeRun::TaskBuilder;

Builder& Builder::requests(int number) {
  run_.scripts_[index_].requests = number;
  return *this;
}
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
Builder& Builder::fetches(const std::string& url) { return fetches_first_of({url}); }

Builder& Builder::fetches_first_of(const std::vector<std::string>& urls) {
  auto fetch = std::make_unique<job::Fetch>();
  fetch->url = urls.front();
  fetch->mirrors.assign(urls.begin() + 1, urls.end());
  task().action = std::move(fetch);
  task().estimate = run_.scripts_[index_].length;
  return *this;
}

Builder& Builder::pool(const std::string& name, std::size_t units) {
  const auto& pools = run_.options.limits.pools;
  const auto place = std::ranges::find(pools, name, &job::Pool::name) - pools.begin();
  task().pools.push_back({job::PoolId(static_cast<std::uint32_t>(place)), units});
  return *this;
}
Builder& Builder::weight(int number) {
  task().weight = number;
  return *this;
}
Builder& Builder::exclusive() {
  task().exclusive = true;
  return *this;
}
Builder& Builder::timeout_percent(int percent) {
  task().timeout_percent = percent;
  return *this;
}
Builder& Builder::slow_after(Duration length) {
  task().slow_after = length;
  return *this;
}
Builder& Builder::estimate(Duration length) {
  task().estimate = length;
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
  slots[context.task().id].push_back(context.slot);
  struct AtHost {
    std::size_t* now = nullptr;
    ~AtHost() {
      if (now != nullptr) --*now;
    }
  } at_host;
  if (const auto* fetch = std::get_if<std::unique_ptr<const job::Fetch>>(&context.task().action)) {
    const std::string host = job::spell(job::host_of((*fetch)->nth_url(context.mirror)));
    if (!(*fetch)->mirrors.empty()) note(context.task().id + " asks " + host);
    at_host.now = &at_host_[host];
    most_at_host[host] = std::max(most_at_host[host], ++*at_host.now);
  }
  Script& script = scripts_[job::index(context.id)];
  bool cancelled = false;
  try {
    co_await async::sleep(script.length);
    for (int i = 1; i < script.requests; ++i) {
      co_await context.next_request();
      note(context.task().id + " asks again");
      co_await async::sleep(script.length);
    }
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

void FakeRun::attempt_is_slow(job::TaskId id, Duration since_start) {
  note(fmt::format("{} is slow after {}", job_[id].id, show(since_start)));
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
