/// Runs a job: starts each task when what it needs is done and a slot is free, and sees it to its end.
///
/// Knows time, work, chance and past durations only through the loop's clock, Executor, Random and Durations,
/// so the same code runs for real and in virtual time, and the same order of events gives the same decisions.
#pragma once

#include "core/async/combine/task_group.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/sync/event.hpp"
#include "core/job/graph.hpp"
#include "core/run/admission.hpp"
#include "core/run/claims.hpp"
#include "core/run/durations.hpp"
#include "core/run/executor.hpp"
#include "core/run/halt.hpp"
#include "core/run/host_manners.hpp"
#include "core/run/lag.hpp"
#include "core/run/median_limits.hpp"
#include "core/run/mirrors.hpp"
#include "core/run/order.hpp"
#include "core/run/process_leave.hpp"
#include "core/run/results.hpp"
#include "core/run/retry.hpp"

#include <csignal>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gather::run {

struct Options {
  LimitsInForce limits;
  Order order;
  std::optional<Halt> halt = {};  ///< Which endings stop the run; without it, it goes on with what it can.
  std::optional<Duration> deadline;
  std::string run_id;
  Tokens* tokens = nullptr;    ///< What processes need besides; none for none. Outlives the run.
  Machine* machine = nullptr;  ///< Likewise.
  bool grows = false;          ///< Tasks are added to the job while it runs; see Scheduler::grown.
};

/// Why a run is to end before its time.
struct StopRequest {
  std::string why;       ///< In words: "interrupted", "the run's deadline passed".
  int signal = SIGTERM;  ///< Passed on to what runs.
  ExitStatus exit = ExitStatus::task_failed;
};

class Scheduler {
 public:
  /// Everything given by reference outlives the scheduler.
  Scheduler(const job::Job& job, Options options, const Durations& durations, Executors executors,
            Random& random, Observer& observer);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Runs the job to its end and gives its record; every task is in a final state then. Once per scheduler. A
  /// task that fails is in the record; what the observer throws stops the run, and leaves here when nothing
  /// runs any more.
  async::Co<Record> run();

  /// The first call stops starting, and cancels what runs politely. The second kills it. Further ones do
  /// nothing. On the loop's thread; before, during or after run().
  void stop(const StopRequest& request);

  /// So many slots from now on, of all and of each kind; at least 1. What runs goes on. On the loop's thread,
  /// while run() runs.
  void set_slots(std::size_t slots);

  /// Takes in the tasks that its owner has added at the end of the job, and starts them when there is room.
  /// They need nothing and none of them fetches. With Options::grows, on the loop's thread, while run() runs;
  /// after a stop they are cancelled.
  void grown();

  /// Nothing more will be added: the run ends with the last task. A run that is stopped does not wait for it.
  void complete();

 private:
  /// What the scheduler knows of a task besides its record.
  struct Row {
    std::uint32_t needs_left = 0;
    int attempts_made = 0;
    std::int64_t rank = 0;
  };
  /// A task between admission and the end of its attempt.
  struct Active {
    async::Task<> attempt;
    int slot = 0;
    bool begun = false;  // Cancelled before that, the body never runs, and we must end it ourselves.
    async::TimeoutScope* limit = nullptr;  // Of one whose time limit depends on the others.
    std::optional<Duration> reached = {};  // That limit, once it is reached.
    async::Call slow = {};
  };

  async::Co<> run_attempt(job::TaskId id);
  async::Co<> next_request(job::TaskId id);
  async::Co<> run_limited(const AttemptContext& context, AttemptResult& result, Duration start);
  async::Co<> clean_up();
  void begin();
  void release(job::TaskId id);
  void become_ready(job::TaskId id);
  void fill_in(job::TaskId id);
  void learn_hosts(job::TaskId id);
  void stand_in_line(job::TaskId id, Duration at);
  LineId line_of(job::TaskId id);
  HostId host_of(job::TaskId id);
  void admit();
  void let_in(const Admission::Admitted& admitted, Duration at);
  void stop_expired();
  Duration patience(job::TaskId id);
  void count_lacked(job::TaskId id, Duration at);
  void attempt_ended(job::TaskId id, Duration start, AttemptResult&& result);
  bool goes_on_with_mirror(job::TaskId id, Duration start, AttemptResult& result);
  void turn_from(HostId host);
  void end_unfinished(job::TaskId id);
  void keep_attempt(job::TaskId id, Duration start, Duration end, AttemptResult& result);
  void free_slot(job::TaskId id, Duration at);
  void end_task(job::TaskId id, State state, std::string reason, std::optional<job::TaskId> cause = {},
                AttemptOutput* last = nullptr);
  void settle();
  void finish_if_done();
  void skip_dependants(job::TaskId id);
  void halt_if_reached(job::TaskId id, State state);
  void end_unstarted();
  void stop_all();
  void later(job::TaskId id, Duration wait);
  ExitStatus exit_status() const;
  Duration now() const { return loop_->now() - began_; }
  TaskRecord& record(job::TaskId id) { return record_.tasks[job::index(id)]; }
  Row& row(job::TaskId id) { return rows_[job::index(id)]; }
  /// With its templates filled in, once that has been done.
  const job::Task& task(job::TaskId id) const {
    const auto& filled = record_.tasks[job::index(id)].filled;
    return filled ? *filled : job_[id];
  }
  template <class Call>
  void tell(Call call);

  const job::Job& job_;
  Options options_;
  const Durations& durations_;
  Executors executors_;
  Random& random_;
  Observer& observer_;
  job::Dependants dependants_;
  std::vector<Row> rows_;
  Record record_;
  Hosts hosts_;
  Admission admission_;
  Claims claims_;
  ProcessLeave leave_;
  HostManners manners_;
  MirrorRounds rounds_;
  Results results_;
  MedianLimits median_limits_;
  std::vector<Duration> expected_;  // Worked out when the first task is overtaken.
  int stop_signal_ = SIGTERM;

  async::Loop* loop_ = nullptr;  // Set by run(), as everything below that needs it.
  async::TaskGroup* group_ = nullptr;
  async::TimePoint began_;
  std::unordered_map<job::TaskId, Active> active_;
  std::unordered_map<job::TaskId, std::vector<AttemptOutput>>
      held_back_;                                          // Outputs of attempts that others follow.
  std::unordered_map<job::TaskId, async::Call> waiting_;   // For their delay or back-off.
  std::unordered_map<job::TaskId, std::string> unfilled_;  // Why templates could not be filled in.
  async::Call opening_;             // When somebody may be let in though nothing has ended.
  async::Call expiry_;              // When somebody reaches a limit of median_limits_.
  std::vector<job::TaskId> ended_;  // Whose dependants have not been told yet.
  std::size_t unfinished_;
  async::Event finished_;
  Endings endings_;
  std::optional<StopRequest> stop_;
  bool stopping_ = false;     // What runs has been told to end.
  bool halted_well_ = false;  // So many successes were asked for, and came.
  bool killing_ = false;
  bool settling_ = false;
  bool growing_;  // More tasks may come.
  std::exception_ptr observer_error_;
};

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

}  // namespace gather::run
