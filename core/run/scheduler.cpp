#include "core/run/scheduler.hpp"

#include "core/async/task/error.hpp"
#include "core/run/states.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <ranges>
#include <utility>

namespace gather::run {

Scheduler::Scheduler(const job::Job& job, Options options, const Durations& durations, Executors executors,
                     Random& random, Observer& observer)
    : job_(job),
      options_(std::move(options)),
      durations_(durations),
      executors_(executors),
      random_(random),
      observer_(observer),
      dependants_(job),
      rows_(job.tasks.size()),
      hosts_(job, options_.limits.hosts),
      admission_([this](job::TaskId id) { return patience(id); }),
      claims_(job, options_.limits, hosts_,
              {.tokens = options_.tokens != nullptr, .machine = options_.machine != nullptr}, admission_),
      leave_(options_.tokens, options_.machine, claims_, admission_),
      manners_(job, hosts_, claims_, admission_),
      rounds_([this](job::TaskId id) -> const job::Task& { return task(id); }, hosts_, manners_),
      results_(job),
      unfinished_(job.tasks.size()),
      growing_(options_.grows) {
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
  expiry_.cancel();
  leave_.close();
  record_.wall = now();
  co_await clean_up();
  record_.lag = lag.summary();
  if (stop_) record_.stopped = stop_->why;
  record_.exit = exit_status();
  tell([&] { observer_.run_ended(record_); });
  if (observer_error_) std::rethrow_exception(observer_error_);
  co_return std::move(record_);
}

void Scheduler::begin() {
  finish_if_done();  // A job without tasks, as `each` makes of no arguments.
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
  const Duration at = now();
  if (!record(id).ready_at) record(id).ready_at = at;
  const Kind kind = kind_of(job_[id].action);
  if (kind == Kind::none) {
    end_task(id, State::passed, {});
    return;
  }
  if (job_[id].stencil && kind == Kind::fetch && hosts_.of(id) == no_host) learn_hosts(id);
  transition(record(id), State::ready);
  rounds_.begin(id, at);
  stand_in_line(id, at);
}

// When it is let in: what waits in line is a row in a table, and what is filled in may be large.
void Scheduler::fill_in(job::TaskId id) {
  auto filled = results_.fill(id, record_.run_id);
  if (filled)
    record(id).filled = std::make_shared<const job::Task>(std::move(*filled));
  else
    unfilled_[id] = std::move(filled.error());
}

// Which line it stands in may be known only now that what it waits for has passed.
void Scheduler::learn_hosts(job::TaskId id) {
  fill_in(id);
  const std::shared_ptr<const job::Task> filled = std::exchange(record(id).filled, nullptr);
  if (!filled) return;
  hosts_.learn(id, job_.tasks.size(), *std::get<std::unique_ptr<const job::Fetch>>(filled->action));
  claims_.learn(id, *filled, hosts_);
  manners_.learn(id, *filled);
}

LineId Scheduler::line_of(job::TaskId id) {
  const MirrorRounds::Round* const round = rounds_.of(id);
  return round == nullptr ? claims_.of(id) : claims_.of(id, round->mirror);
}

HostId Scheduler::host_of(job::TaskId id) {
  const MirrorRounds::Round* const round = rounds_.of(id);
  return round == nullptr ? hosts_.of(id) : hosts_.mirrors(id)[round->mirror];
}

void Scheduler::stand_in_line(job::TaskId id, Duration at) {
  const LineId line = line_of(id);
  const Lacked before = admission_.lacked(line, at);
  for (std::size_t i = 0; i < lack_count; ++i) record(id).lacked[i] -= before[i];
  admission_.wait(line, {job_[id].priority, row(id).rank, id}, at);
}

// The other half of what stand_in_line() began: what the line lacked since is what this task lacked.
void Scheduler::count_lacked(job::TaskId id, Duration at) {
  const Lacked until_now = admission_.lacked(line_of(id), at);
  for (std::size_t i = 0; i < lack_count; ++i) record(id).lacked[i] += until_now[i];
}

void Scheduler::admit() {
  Duration at = now();
  do {
    leave_.look_at_machine(at);
    while (const auto admitted = admission_.next(at)) {
      let_in(*admitted, at);
      at = now();
      leave_.look_at_machine(at);
    }
  } while (leave_.take_token(at));
  leave_.settle(at, [this] { admit(); });
  opening_.cancel();
  std::optional<Duration> opening = admission_.next_opening();
  if (leave_.waits_for_machine(at))
    opening = std::min(opening.value_or(Duration::max()), at + leave_.look_again);
  if (opening) opening_ = loop_->call_later(*opening - now(), [this] { admit(); });
}

void Scheduler::let_in(const Admission::Admitted& admitted, Duration at) {
  const job::TaskId id = admitted.id;
  transition(record(id), State::running);
  count_lacked(id, at);
  if (kind_of(job_[id].action) == Kind::process) leave_.process_started();
  Active& active = active_[id];
  active.slot = admitted.slot;
  active.attempt = group_->spawn(run_attempt(id), job_[id].id);
}

Duration Scheduler::patience(job::TaskId id) {
  if (expected_.size() != job_.tasks.size()) expected_ = expected_durations(job_, durations_);
  return expected_[job::index(id)];
}

void Scheduler::set_slots(std::size_t slots) {
  const auto set = [&](ResourceId resource, std::size_t& in_force, std::size_t& highest) {
    admission_.resize(resource, static_cast<std::int64_t>(slots) - static_cast<std::int64_t>(in_force),
                      now());
    in_force = slots;
    highest = std::max(highest, slots);
  };
  set(claims_.jobs(), options_.limits.jobs, record_.limits.jobs);
  set(claims_.processes(), options_.limits.processes, record_.limits.processes);
  set(claims_.fetches(), options_.limits.fetches, record_.limits.fetches);
  if (!stop_) admit();
}

void Scheduler::free_slot(job::TaskId id, Duration at) {
  const auto active = active_.find(id);
  if (kind_of(job_[id].action) == Kind::process) leave_.process_ended();
  admission_.release_until_retry(line_of(id), id, active->second.slot, at);
  active_.erase(active);
}

void Scheduler::end_task(job::TaskId id, State state, std::string reason, std::optional<job::TaskId> cause,
                         AttemptOutput* last) {
  TaskRecord& task = record(id);
  transition(task, state);
  admission_.give_up_slot(id);
  task.reason = std::move(reason);
  task.cause = cause;
  task.ended_at = now();
  auto held_back = held_back_.extract(id);
  std::span<const AttemptOutput> outputs;
  if (held_back) {
    if (last != nullptr) held_back.mapped().push_back(std::move(*last));
    outputs = held_back.mapped();
  } else if (last != nullptr) {
    outputs = {last, 1};
  }
  tell([&] { observer_.task_ended(id, task, outputs); });
  if (job_[id].stencil) {
    results_.ended(id);
    unfilled_.erase(id);
    task.filled = nullptr;
  }
  ended_.push_back(id);
  --unfinished_;
  finish_if_done();
}

void Scheduler::finish_if_done() {
  if (unfinished_ == 0 && !growing_) finished_.set();
}

void Scheduler::grown() {
  claims_.grown(job_);
  const std::size_t known = rows_.size();
  unfinished_ += job_.tasks.size() - known;
  rows_.resize(job_.tasks.size());
  record_.tasks.resize(job_.tasks.size());
  for (std::size_t i = known; i < rows_.size(); ++i) {
    if (stop_)
      end_task(job::TaskId(i), State::cancelled, stop_->why);
    else
      release(job::TaskId(i));
  }
  settle();
  if (!stop_) admit();
}

void Scheduler::complete() {
  growing_ = false;
  finish_if_done();
}

// A queue instead of recursion: a chain of a million milestones, or of skips, is as deep as one.
void Scheduler::settle() {
  if (settling_) return;
  settling_ = true;
  for (std::size_t next = 0; next < ended_.size(); ++next) {
    const job::TaskId id = ended_[next];
    if (job::index(id) >= dependants_.size()) continue;  // It came later, and nothing needs it.
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

}  // namespace gather::run
