/// How the scheduler's run ends before its time, and with which status it ends.
#include "core/run/scheduler.hpp"
#include "core/run/states.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gather::run {
namespace {

// The higher rule wins where several things ended the run: a breakdown of ours, a signal, then the reader of
// stdout, then the deadline.
int precedence(ExitStatus status) {
  switch (status) {
    case ExitStatus::bug:
      return 4;
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

// What left its group is known only now; the last attempt of a task is told of it.
async::Co<> Scheduler::clean_up() {
  std::vector<LeftProcess> left;
  try {
    left = co_await executors_.process.clean_up();
  } catch (const Error& error) {
    if (!stop_ || precedence(error.status()) > precedence(stop_->exit))
      stop_ = {error.what(), SIGTERM, error.status()};
  }
  const auto ended = std::ranges::partition(left, &LeftProcess::stays);
  if (!ended.empty())
    for (std::size_t i = 0; i < record_.tasks.size(); ++i)
      if (!record_.tasks[i].attempts.empty() &&
          std::ranges::find(ended, job_.tasks[i].id, &LeftProcess::task) != ended.end())
        record_.tasks[i].attempts.back().leaked = true;
  left.erase(ended.begin(), ended.end());
  record_.left_running = std::move(left);
}

void Scheduler::halt_if_reached(job::TaskId id, State state) {
  if (is_success(state))
    ++endings_.passed;
  else if (state != State::cancelled)
    ++endings_.failed;
  if (!options_.halt || stop_ || !options_.halt->reached(endings_, rows_.size())) return;
  if (unfinished_ == 0 && !growing_) return;
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
  growing_ = false;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (record_.tasks[i].state == State::ready) count_lacked(job::TaskId(i), now());
  admission_.close(now());
  opening_.cancel();
  for (auto& [id, call] : waiting_) call.cancel();
  waiting_.clear();
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const State state = record_.tasks[i].state;
    if (state != State::waiting && state != State::ready) continue;
    end_unfinished(job::TaskId(i));
    end_task(job::TaskId(i), State::cancelled, stop_->why);
  }
  finish_if_done();
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
    free_slot(id, now());
    end_unfinished(id);
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
