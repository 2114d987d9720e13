/// A run in virtual time: tasks with scripted lengths and endings, and a trace of what happened.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/run/scheduler.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gather::test {

/// A limit of `limits.hosts`. Requires: pattern and rate are right.
inline job::HostLimit limit(std::string_view pattern, std::size_t max, std::string_view rate = "") {
  job::HostLimit limit{.pattern = job::parse_host_pattern(pattern).value(), .max = max};
  if (!rate.empty()) limit.rate = job::parse_rate(rate).value();
  return limit;
}

/// Builds a job, runs it on a virtual loop, and tells what happened, line by line:
///
///     "   0 ms fetch starts\n"
///     "  30 ms fetch passed\n"
///
/// No process, no socket, no waiting.
class FakeRun : private run::Executor, private run::Observer {
 public:
  class TaskBuilder {
   public:
    TaskBuilder& takes(Duration length);
    /// Each attempt asks its host so many times, and takes its length for each.
    TaskBuilder& requests(int number);
    /// Endings of the attempts, in order; after the last one they pass.
    TaskBuilder& ends(std::vector<run::Outcome> outcomes);
    template <class... Ids>
    TaskBuilder& needs(const Ids&... ids) {
      (run_.needs(task().id, ids), ...);
      return *this;
    }
    /// How long it takes to stop when it is asked to; a second request ends it at once.
    TaskBuilder& stops_in(Duration length);
    TaskBuilder& timeout(Duration limit);
    TaskBuilder& delay(Duration length);
    TaskBuilder& retries(int number, Duration wait);
    TaskBuilder& priority(int value);
    TaskBuilder& is_process();
    TaskBuilder& is_milestone();
    TaskBuilder& fetches(const std::string& url);
    /// From the first of them that serves; `ends` and `takes` are for each that is asked, and the trace names
    /// it.
    TaskBuilder& fetches_first_of(const std::vector<std::string>& urls);
    /// So many units of a pool of options.limits.pools.
    TaskBuilder& pool(const std::string& name, std::size_t units = 1);
    TaskBuilder& weight(int number);
    TaskBuilder& exclusive();
    TaskBuilder& timeout_percent(int percent);
    TaskBuilder& slow_after(Duration length);
    TaskBuilder& estimate(Duration length);

   private:
    friend class FakeRun;
    TaskBuilder(FakeRun& run, std::size_t index) : run_(run), index_(index) {}
    job::Task& task() { return run_.job_.tasks[index_]; }
    FakeRun& run_;
    std::size_t index_;
  };

  FakeRun();

  TaskBuilder task(const std::string& id);
  /// For needs that are listed before what they name.
  void needs(const std::string& id, const std::string& needed);
  /// Calls `action(scheduler)` at that time of the run.
  void at(Duration when, std::function<void(run::Scheduler&)> action);

  /// Runs the job, once, and gives its trace.
  std::string trace();
  const run::Record& record() const { return record_; }

  run::Options options;
  std::optional<run::StopRequest> stop_first;  ///< Stops the run before it begins.
  std::uint64_t seed = 1;
  std::size_t most_running = 0;
  std::map<std::string, std::size_t> most_at_host;  ///< By host, as spelled.
  std::vector<int> endings;                         ///< By task: how often it was told to have ended.
  std::map<std::string, std::vector<int>> slots;    ///< By task: the numbers of its attempts' slots.

 private:
  struct Script {
    Duration length{};
    int requests = 1;
    Duration stopping{};
    std::deque<run::Outcome> outcomes;
  };

  async::Co<> attempt(const run::AttemptContext& context, run::AttemptResult& result) override;
  void attempt_started(job::TaskId id, int number) override;
  void attempt_is_slow(job::TaskId id, Duration since_start) override;
  void attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                      const run::AttemptOutput& output) override;
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> output) override;
  void run_stopping(std::string_view why) override;
  void note(const std::string& text);

  async::Loop loop_;
  job::Job job_;
  std::map<std::string, std::size_t> ids_;
  std::vector<Script> scripts_;
  std::vector<std::pair<Duration, std::function<void(run::Scheduler&)>>> actions_;
  run::Record record_;
  std::string trace_;
  std::size_t running_ = 0;
  std::map<std::string, std::size_t> at_host_;
};

}  // namespace gather::test
