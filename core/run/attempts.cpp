/// The scheduler's attempts: from a start to an end, or to another try.
#include "core/async/combine/timeout.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/sleep.hpp"
#include "core/run/scheduler.hpp"
#include "core/run/states.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace gather::run {
namespace {

State final_state(const Outcome& outcome, int attempts) {
  if (passed(outcome)) return attempts > 1 ? State::flaky : State::passed;
  if (std::holds_alternative<TimedOut>(outcome)) return State::timed_out;
  if (std::holds_alternative<Stopped>(outcome)) return State::cancelled;
  return State::failed;
}

}  // namespace

async::Co<> Scheduler::run_attempt(job::TaskId id) {
  Active& active = active_.at(id);  // References into the map stay good while others come and go.
  active.begun = true;
  const std::optional<Duration> limit = job_[id].timeout;  // A copy: a job that grows moves its tasks.
  MirrorRounds::Round* const round = rounds_.of(id);
  const bool goes_on = round != nullptr && round->start;
  if (!goes_on) ++row(id).attempts_made;
  if (job_[id].stencil && !record(id).filled) fill_in(id);
  const AttemptContext context{job_,
                               id,
                               row(id).attempts_made,
                               active.slot,
                               record_.run_id,
                               stop_signal_,
                               round == nullptr ? 0 : round->mirror,
                               record(id).filled.get(),
                               [this, id] { return next_request(id); }};
  record(id).slot = active.slot;
  AttemptResult result = goes_on ? std::move(round->result) : AttemptResult();
  if (!goes_on) tell([&] { observer_.attempt_started(id, context.number); });
  const Duration let_in = now();
  admission_.begun(line_of(id), let_in);
  if (round != nullptr && !goes_on) round->start = let_in;
  // What limits an attempt is for all its mirrors together; what it waits for the place at one is not in it.
  const Duration ran = goes_on ? round->ran : Duration(0);
  const Duration start = let_in - ran;
  if (const auto slow_after = job_[id].slow_after; slow_after && *slow_after > ran)
    active.slow = loop_->call_later(*slow_after - ran, [this, id, start] {
      if (!stop_) tell([&] { observer_.attempt_is_slow(id, now() - start); });
    });
  try {
    if (const auto fault = unfilled_.find(id); fault != unfilled_.end())
      result.outcome = LocalFailure{fault->second};
    else if (auto refusal = manners_.refusal(host_of(id), let_in))
      result.outcome = *std::move(refusal);
    else if (job_[id].timeout_percent > 0)
      co_await run_limited(context, result, start);
    else if (limit)
      co_await async::timeout(std::max(*limit - ran, Duration(0)),
                              [&] { return executors_[kind_of(job_[id].action)].attempt(context, result); });
    else
      co_await executors_[kind_of(job_[id].action)].attempt(context, result);
  } catch (const async::TimeoutError&) {
    result.outcome = TimedOut{active.reached ? *active.reached : *limit, result.killed};
  } catch (const async::Cancelled&) {
    result.outcome = Stopped{stop_ ? stop_->why : "cancelled", result.killed};
  } catch (const Error& error) {
    result.outcome = LocalFailure{error.what()};
    // What broke down is needed by the others, too.
    if (error.status() == ExitStatus::bug) stop({error.what(), SIGTERM, ExitStatus::bug});
  }
  active.slow.cancel();
  attempt_ended(id, let_in, std::move(result));
}

async::Co<> Scheduler::next_request(job::TaskId id) {
  const HostId host = host_of(id);
  if (host == no_host) co_return;
  const Duration turn = admission_.take_turn(claims_.at(host), now());
  co_await async::sleep(turn - now());
}

// Its limit is not known when it starts, and moves while it runs.
async::Co<> Scheduler::run_limited(const AttemptContext& context, AttemptResult& result, Duration start) {
  const job::TaskId id = context.id;
  const Kind kind = kind_of(job_[id].action);
  const MedianLimits::Attempt attempt{id, kind, job_[id].timeout_percent, start};
  struct Running {
    MedianLimits& limits;
    const MedianLimits::Attempt& attempt;
    ~Running() { limits.ended(attempt); }
  };
  {
    median_limits_.started(attempt);
    const Running running{median_limits_, attempt};
    co_await async::timeout_at(std::nullopt, [&](async::TimeoutScope& scope) {
      active_.at(id).limit = &scope;
      stop_expired();
      return executors_[kind].attempt(context, result);
    });
  }
  if (passed(result.outcome)) median_limits_.passed(kind, now() - attempt.start);
  stop_expired();
}

void Scheduler::stop_expired() {
  while (const auto expired = median_limits_.take_expired(now())) {
    Active& active = active_.at(expired->id);
    active.reached = expired->limit;
    active.limit->reschedule(loop_->now());
  }
  expiry_.cancel();
  if (const auto next = median_limits_.next())
    expiry_ = loop_->call_later(*next - now(), [this] { stop_expired(); });
}

// Gives everything back first, so that nothing is held while it waits for the next mirror's host. True if it
// goes on there; else `result` tells of all of them.
bool Scheduler::goes_on_with_mirror(job::TaskId id, Duration start, AttemptResult& result) {
  MirrorRounds::Round* const round = rounds_.of(id);
  if (round == nullptr) return false;
  round->ran += now() - start;
  if (!mirror_may_mend(result.outcome)) return false;
  rounds_.failed(id, result.outcome, now());
  if (!stop_ && rounds_.turn(id, now())) {
    round->result = std::move(result);
    transition(record(id), State::ready);
    stand_in_line(id, now());
    return true;
  }
  result.outcome = rounds_.outcome(id, now());
  const auto* const answer = std::get_if<UnexpectedStatus>(&result.outcome);
  result.http_status = answer == nullptr ? std::nullopt : std::optional(answer->status);
  return false;
}

// Who waits for a host that wants to be left alone, and has another to ask, waits for that one.
void Scheduler::turn_from(HostId host) {
  std::set<LineId> lines;
  for (const auto& [id, round] : rounds_.all())
    if (record(id).state == State::ready && hosts_.mirrors(id)[round.mirror] == host)
      lines.insert(claims_.of(id, round.mirror));
  for (const LineId line : lines)
    for (const Key& key : admission_.take_out(line, now())) {
      if (rounds_.of(key.id) == nullptr || !rounds_.turn_or_wait(key.id, now())) {
        admission_.wait(line, key, now());
        continue;
      }
      const Lacked until_now = admission_.lacked(line, now());
      for (std::size_t i = 0; i < lack_count; ++i) record(key.id).lacked[i] += until_now[i];
      stand_in_line(key.id, now());
    }
}

// What was stopped while it waited for its next mirror has been begun, and is kept as such.
void Scheduler::end_unfinished(job::TaskId id) {
  MirrorRounds::Round* const round = rounds_.of(id);
  if (round == nullptr) return;
  if (round->start) {
    AttemptResult result = std::move(round->result);
    result.outcome = Stopped{stop_->why};
    keep_attempt(id, *round->start, now(), result);
  }
  rounds_.end(id);
}

void Scheduler::keep_attempt(job::TaskId id, Duration start, Duration end, AttemptResult& result) {
  const MirrorRounds::Round* const round = rounds_.of(id);
  record(id).attempts.push_back({.number = row(id).attempts_made,
                                 .start = round == nullptr ? start : *round->start,
                                 .length = round == nullptr ? end - start : round->ran,
                                 .outcome = std::move(result.outcome),
                                 .usage = result.usage,
                                 .http_status = result.http_status,
                                 .bytes_in = result.bytes_in,
                                 .sha256 = std::move(result.sha256),
                                 .transfer = std::move(result.transfer),
                                 .leaked = result.leaked});
}

void Scheduler::attempt_ended(job::TaskId id, Duration start, AttemptResult&& result) {
  const HostId host = host_of(id);
  const Duration end = now();
  free_slot(id, end);
  if (manners_.attempt_ended(host, result.outcome, end)) turn_from(host);
  if (goes_on_with_mirror(id, start, result)) {
    admit();
    return;
  }
  keep_attempt(id, start, end, result);
  if (passed(record(id).attempts.back().outcome)) results_.keep(id, std::move(result.values));
  rounds_.end(id);
  TaskRecord& task = record(id);
  const int number = row(id).attempts_made;
  const AttemptRecord& attempt = task.attempts.back();
  AttemptOutput output{number, std::move(result.out), std::move(result.err), std::move(result.body)};
  const job::RetryPolicy& policy = *job_[id].retry;
  auto wait = stop_ ? std::nullopt : wait_before_retry(attempt.outcome, number, policy, random_);
  const bool used_up = wait && !manners_.take_retry(hosts_.of(id));
  if (used_up) wait = std::nullopt;
  if (wait) {
    transition(task, State::waiting);
    task.filled = nullptr;  // Once more for the next attempt.
    const AttemptOutput& kept = held_back_[id].emplace_back(std::move(output));
    tell([&] { observer_.attempt_failed(id, attempt, *wait, kept); });
    if (stop_) {
      // The observer has stopped the run.
    } else if (*wait > Duration(0)) {
      later(id, *wait);
    } else {
      become_ready(id);  // In the slot that it had, if nobody goes before it.
    }
  } else {
    const State state = final_state(attempt.outcome, number);
    std::string reason = state == State::passed ? ""
                         : state == State::flaky
                             ? fmt::format("passed at attempt {} of {}", number, policy.attempts)
                             : describe(attempt.outcome);
    if (!is_success(state) && number > 1) reason += fmt::format(" after {} attempts", number);
    if (used_up) reason += "; its host has used up its retries, so there is no other";
    end_task(id, state, std::move(reason), {}, &output);
    halt_if_reached(id, state);
  }
  settle();
  admit();
}

}  // namespace gather::run
