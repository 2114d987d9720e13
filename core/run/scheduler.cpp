#include "core/run/scheduler.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/task/error.hpp"
#include "core/run/states.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <ranges>
#include <utility>

namespace gather::run {
namespace {

State final_state(const Outcome& outcome, int attempts) {
  if (passed(outcome)) return attempts > 1 ? State::flaky : State::passed;
  if (std::holds_alternative<TimedOut>(outcome)) return State::timed_out;
  if (std::holds_alternative<Stopped>(outcome)) return State::cancelled;
  return State::failed;
}

std::string_view verb(State state) {
  switch (state) {
    case State::timed_out:
      return "timed out";
    case State::cancelled:
      return "was cancelled";
    case State::skipped:
      return "was skipped";
    default:
      return "failed";
  }
}

// The higher rule wins where several things ended the run: a signal, then the reader of stdout, then the
// deadline.
int precedence(ExitStatus status) {
  switch (status) {
    case ExitStatus::hung_up:
    case ExitStatus::interrupted:
    case ExitStatus::terminated:
      return 3;
    case ExitStatus::stdout_gone:
      return 2;
    case ExitStatus::deadline:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

Scheduler::Scheduler(const job::Job& job, Options options, const Durations& durations, Executors executors,
                     Random& random, Observer& observer)
    : job_(job),
      options_(std::move(options)),
      executors_(executors),
      random_(random),
      observer_(observer),
      dependants_(job),
      rows_(job.tasks.size()),
      admission_(options_.limits),
      unfinished_(job.tasks.size()) {
  record_.run_id = options_.run_id;
  record_.limits = options_.limits;
  record_.tasks.resize(job.tasks.size());
  const std::vector<std::int64_t> keys = order_keys(job, options_.order, durations);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    rows_[i].needs_left = static_cast<std::uint32_t>(job.tasks[i].needs.size());
    rows_[i].rank = keys[i];
  }
}

async::Co<Record> Scheduler::run() {
  assert(loop_ == nullptr && "a scheduler runs once");
  loop_ = &(co_await async::this_task()).loop();
  began_ = loop_->now();
  record_.began = std::chrono::system_clock::now();
  LagProbe lag;
  tell([&] { observer_.run_started(job_, record_); });
  async::Call deadline;
  if (options_.deadline)
    deadline = loop_->call_later(*options_.deadline, [this] {
      if (!stop_) stop({"the run's deadline passed", SIGTERM, ExitStatus::deadline});
    });
  co_await async::task_group([&](async::TaskGroup& group) -> async::Co<> {
    group_ = &group;
    async::Task<> probe;
    if (!loop_->poller().is_virtual()) probe = group.spawn(lag.watch(), "lag probe");
    begin();
    bool cancelled = false;
    try {
      co_await finished_.wait();
    } catch (const async::Cancelled&) {
      cancelled = true;
      stop({"cancelled"});
    }
    if (cancelled) co_await finished_.wait();
    if (probe) probe.cancel();
    if (cancelled) throw async::Cancelled{};
  });
  deadline.cancel();
  record_.wall = now();
  record_.lag = lag.summary();
  if (stop_) record_.stopped = stop_->why;
  record_.exit = exit_status();
  tell([&] { observer_.run_ended(record_); });
  if (observer_error_) std::rethrow_exception(observer_error_);
  co_return std::move(record_);
}

// An observer that can't do its work (a full disk, a reader that went away) ends the run, but not before what
// runs has been stopped; until then it is told nothing more.
template <class Call>
void Scheduler::tell(Call call) {
  if (observer_error_) return;
  try {
    call();
  } catch (const Error& error) {
    observer_error_ = std::current_exception();
    stop({error.what(), SIGTERM, error.status()});
  }
}

void Scheduler::begin() {
  if (unfinished_ == 0) finished_.set();  // A job without tasks, as `each` makes of no arguments.
  if (stop_) {
    stop_all();
    return;
  }
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].needs_left == 0) release(job::TaskId(i));
  settle();
  admit();
}

void Scheduler::release(job::TaskId id) {
  const job::Task& task = job_[id];
  if (task.delay > Duration(0))
    later(id, task.delay);
  else
    become_ready(id);
}

void Scheduler::later(job::TaskId id, Duration wait) {
  waiting_[id] = loop_->call_later(wait, [this, id] {
    waiting_.erase(id);
    become_ready(id);
    settle();
    admit();
  });
}

void Scheduler::become_ready(job::TaskId id) {
  if (!record(id).ready_at) record(id).ready_at = now();
  const Kind kind = kind_of(job_[id].action);
  if (kind == Kind::none) {
    end_task(id, State::passed, {});
    return;
  }
  transition(record(id), State::ready);
  admission_.wait(kind, {job_[id].priority, row(id).rank, id});
}

void Scheduler::admit() {
  while (const auto admitted = admission_.next()) {
    const job::TaskId id = admitted->id;
    transition(record(id), State::running);
    Active& active = active_[id];
    active.slot = admitted->slot;
    active.attempt = group_->spawn(run_attempt(id), job_[id].id);
  }
}

async::Co<> Scheduler::run_attempt(job::TaskId id) {
  Active& active = active_.at(id);  // References into the map stay good while others come and go.
  active.begun = true;
  const job::Task& task = job_[id];
  const AttemptContext context{job_, id, ++row(id).attempts_made, active.slot, record_.run_id, stop_signal_};
  record(id).slot = active.slot;
  Executor& executor = executors_[kind_of(task.action)];
  AttemptResult result;
  tell([&] { observer_.attempt_started(id, context.number); });
  const Duration start = now();
  try {
    if (task.timeout)
      co_await async::timeout(*task.timeout, [&] { return executor.attempt(context, result); });
    else
      co_await executor.attempt(context, result);
  } catch (const async::TimeoutError&) {
    result.outcome = TimedOut{*task.timeout, result.killed};
  } catch (const async::Cancelled&) {
    result.outcome = Stopped{stop_ ? stop_->why : "cancelled", result.killed};
  } catch (const Error& error) {
    result.outcome = LocalFailure{error.what()};
  }
  attempt_ended(id, start, std::move(result));
}

void Scheduler::attempt_ended(job::TaskId id, Duration start, AttemptResult&& result) {
  free_slot(id);
  TaskRecord& task = record(id);
  const int number = row(id).attempts_made;
  task.attempts.push_back({.number = number,
                           .start = start,
                           .length = now() - start,
                           .outcome = std::move(result.outcome),
                           .usage = result.usage,
                           .http_status = result.http_status,
                           .bytes_in = result.bytes_in,
                           .sha256 = std::move(result.sha256),
                           .leaked = result.leaked});
  const AttemptRecord& attempt = task.attempts.back();
  auto& outputs = held_back_[id];
  outputs.push_back({number, std::move(result.out), std::move(result.err)});
  const job::RetryPolicy& policy = *job_[id].retry;
  const auto wait = stop_ ? std::nullopt : wait_before_retry(attempt.outcome, number, policy, random_);
  if (wait) {
    transition(task, State::waiting);
    tell([&] { observer_.attempt_failed(id, attempt, *wait, outputs.back()); });
    if (!stop_) later(id, *wait);  // The observer may have stopped the run.
  } else {
    const State state = final_state(attempt.outcome, number);
    std::string reason = state == State::passed ? ""
                         : state == State::flaky
                             ? fmt::format("passed at attempt {} of {}", number, policy.attempts)
                             : describe(attempt.outcome);
    if (!is_success(state) && number > 1) reason += fmt::format(" after {} attempts", number);
    end_task(id, state, std::move(reason));
    halt_if_reached(id, state);
  }
  settle();
  admit();
}

void Scheduler::free_slot(job::TaskId id) {
  const auto active = active_.find(id);
  admission_.release(kind_of(job_[id].action), active->second.slot);
  active_.erase(active);
}

void Scheduler::end_task(job::TaskId id, State state, std::string reason, std::optional<job::TaskId> cause) {
  TaskRecord& task = record(id);
  transition(task, state);
  task.reason = std::move(reason);
  task.cause = cause;
  task.ended_at = now();
  const auto outputs = held_back_.extract(id);
  tell([&] {
    observer_.task_ended(
        id, task,
        outputs ? std::span<const AttemptOutput>(outputs.mapped()) : std::span<const AttemptOutput>());
  });
  ended_.push_back(id);
  if (--unfinished_ == 0) finished_.set();
}

// A queue instead of recursion: a chain of a million milestones, or of skips, is as deep as one.
void Scheduler::settle() {
  if (settling_) return;
  settling_ = true;
  for (std::size_t next = 0; next < ended_.size(); ++next) {
    const job::TaskId id = ended_[next];
    if (!is_success(record(id).state)) {
      skip_dependants(id);
      continue;
    }
    for (const job::TaskId dependant : dependants_.of(id)) {
      if (--row(dependant).needs_left > 0 || record(dependant).state != State::waiting) continue;
      record(dependant).released_by = id;
      release(dependant);
    }
  }
  ended_.clear();
  settling_ = false;
}

void Scheduler::skip_dependants(job::TaskId id) {
  const job::TaskId root = record(id).cause.value_or(id);
  for (const job::TaskId dependant : dependants_.of(id))
    if (record(dependant).state == State::waiting)
      end_task(dependant, State::skipped, fmt::format("{} {}", job_[root].id, verb(record(root).state)),
               root);
}

void Scheduler::halt_if_reached(job::TaskId id, State state) {
  if (is_success(state))
    ++endings_.passed;
  else if (state != State::cancelled)
    ++endings_.failed;
  if (!options_.halt || stop_ || !options_.halt->reached(endings_, rows_.size()) || unfinished_ == 0) return;
  const Halt& halt = *options_.halt;
  halted_well_ = halt.why == Halt::Why::success;
  std::string why =
      halt.why == Halt::Why::fail && halt == Halt{}
          ? fmt::format("{} {}, and the run fails fast", job_[id].id, verb(state))
          : fmt::format("{} failed and {} passed, which halts the run", endings_.failed, endings_.passed);
  if (halt.when == Halt::When::now) {
    stop({std::move(why)});
    return;
  }
  stop_ = {std::move(why)};
  tell([&] { observer_.run_stopping(stop_->why); });
  end_unstarted();
  settle();
}

void Scheduler::stop(const StopRequest& request) {
  const bool first = !std::exchange(stopping_, true);
  if (!stop_ || precedence(request.exit) > precedence(stop_->exit)) stop_ = request;
  stop_signal_ = request.signal;
  if (loop_ == nullptr || group_ == nullptr) return;  // run() looks for itself.
  if (first) tell([&] { observer_.run_stopping(stop_->why); });
  if (first)
    stop_all();
  else if (!std::exchange(killing_, true))
    for (auto& [id, active] : active_) active.attempt.cancel();
}

// What waits for needs, a delay, a retry or a slot.
void Scheduler::end_unstarted() {
  admission_.close();
  for (auto& [id, call] : waiting_) call.cancel();
  waiting_.clear();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const State state = record_.tasks[i].state;
    if (state == State::waiting || state == State::ready)
      end_task(job::TaskId(i), State::cancelled, stop_->why);
  }
}

// State first, signals second: what dies of them must not look like a failure of its own.
void Scheduler::stop_all() {
  end_unstarted();
  std::vector<job::TaskId> running;
  running.reserve(active_.size());
  for (const auto& [id, active] : active_) running.push_back(id);
  std::ranges::sort(running);
  for (const job::TaskId id : running) {
    Active& active = active_.at(id);
    active.attempt.cancel();
    if (active.begun) continue;
    free_slot(id);
    end_task(id, State::cancelled, stop_->why);
  }
  settle();
}

ExitStatus Scheduler::exit_status() const {
  if (stop_ && precedence(stop_->exit) > 0) return stop_->exit;
  if (halted_well_) return ExitStatus::success;
  ExitStatus status = ExitStatus::success;
  for (const TaskRecord& task : record_.tasks) {
    if (is_success(task.state)) continue;
    if (!task.attempts.empty() && std::holds_alternative<ChecksumMismatch>(task.attempts.back().outcome))
      return ExitStatus::checksum;
    status = ExitStatus::task_failed;
  }
  return status;
}

}  // namespace gather::run
