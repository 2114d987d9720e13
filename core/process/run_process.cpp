#include "core/process/run_process.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/future.hpp"
#include "core/process/bell.hpp"
#include "core/process/capture.hpp"

#include <algorithm>
#include <utility>

namespace gather::process {
namespace {

using async::Cancelled;
using async::Co;
using async::TimePoint;
using namespace std::chrono_literals;

using Started = std::expected<std::unique_ptr<Child>, async::StartError>;

/// False also if `wait` was cut short by a cancel, which is thereby dealt with.
Co<bool> unless_cancelled(Co<bool> wait) {
  try {
    co_return co_await std::move(wait);
  } catch (const Cancelled&) {
    co_return false;
  }
}

/// One program while it runs.
class Attempt {
 public:
  Attempt(Starter& starter, async::ChildSpec& spec, const StopPolicy& policy, ProcessResult& result,
          const Listeners& listeners, async::Loop& loop)
      : starter_(starter), spec_(spec), policy_(policy), result_(result), loop_(loop) {
    if (listeners.out != nullptr) out_.pass_to(*listeners.out, *listeners.valve);
    if (listeners.err != nullptr) err_.pass_to(*listeners.err, *listeners.valve);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() { watch_.cancel(); }

  /// Tries again while the reason may pass. Cancelling it meanwhile has nothing to clean up.
  Co<std::expected<void, async::StartError>> start() {
    constexpr Duration longest_wait = 320ms;  // The waits are 10, 20, … 320 ms, then 320 ms: 1 s in all.
    constexpr int most_tries = 8;
    Duration wait = 10ms;
    for (int attempt = 1;; ++attempt) {
      Started started = co_await try_to_start();
      if (started) {
        child_ = std::move(*started);
        if (child_->age() >= unwatched)
          watch();
        else if (!child_->ended())
          watch_ = loop_.call_later(unwatched - child_->age(), [this] { watch(); });
        co_return std::expected<void, async::StartError>{};
      }
      out_.close();
      err_.close();
      if (!started.error().temporary() || attempt == most_tries)
        co_return std::unexpected(std::move(started.error()));
      co_await async::sleep(wait);
      wait = std::min(2 * wait, longest_wait);
    }
  }

  /// Resumes with true once the leader has ended.
  Co<bool> leader_end() {
    while (!child_->ended()) co_await bell_.wait();
    if (!watched_ && out_.read_to_end() && err_.read_to_end()) watched_ = true;
    watch();
    co_return true;
  }

  /// Waits for what a leader that ended by itself has left behind, as long as it may take.
  Co<> settle() {
    TimePoint deadline = loop_.now() + policy_.leak_timeout;
    const bool gone = co_await pipes_closed(deadline) && co_await group_gone(deadline);
    if (!gone) result_.leaked = true;
  }

  /// Stops leader and group: politely, then by force. Cancels that come meanwhile only make it faster, and so
  /// do several that have come already: the task is told of them once.
  Co<> stop(bool at_once) {
    stopped_ = true;
    watch();
    child_->signal(*policy_.signal);
    child_->signal(SIGCONT);  // One that is stopped can't even end before it is continued.
    if (at_once || !co_await unless_cancelled(group_gone(loop_.now() + policy_.grace))) {
      result_.killed = true;
      child_->signal(SIGKILL);
    }
    while (!co_await unless_cancelled(leader_end())) {
    }
    // Those that die now close their ends in a moment. Who left the group is not waited for any longer.
    // Nor for a reader of ours that is slow: what is in the pipes is taken all the same.
    TimePoint deadline = loop_.now() + policy_.leak_timeout;
    if (!co_await unless_cancelled(pipes_closed(deadline, false)) && !held()) result_.leaked = true;
  }

  /// Takes what is left in the pipes, kills what is left of the group, reaps.
  Co<Exit> finish() {
    const Reaped reaped = co_await child_->reap();
    out_.drain_and_close();
    err_.drain_and_close();
    result_.exit = reaped.exit;
    result_.usage = reaped.usage;
    if (reaped.left && !stopped_) result_.leaked = true;
    if (policy_.leave && reaped.exit == Exit{}) result_.leaked = false;
    co_return reaped.exit;
  }

 private:
  /// A program that ends sooner than this is read when it has ended: that spares two watches, and a wake-up
  /// for the ends of its pipes before the one for its own.
  static constexpr Duration unwatched = 2ms;

  void watch() noexcept {
    if (std::exchange(watched_, true)) return;
    watch_.cancel();
    for (Capture* const capture : {&out_, &err_})
      if (!capture->ended()) capture->start(loop_);
  }

  Co<Started> try_to_start() {
    auto out = out_.open(starter_.pipes());
    if (!out) co_return std::unexpected(std::move(out.error()));
    auto err = err_.open(starter_.pipes());
    if (!err) co_return std::unexpected(std::move(err.error()));
    spec_.stdout_fd = out->get();
    spec_.stderr_fd = err->get();
    co_return co_await starter_.start(spec_, bell_, {policy_.grace, policy_.leave, policy_.isolate});
  }

  /// Each waits, and gives false if it has not come about at `deadline`.
  /// The deadline moves on while the pipes are held back, if that is waited for.
  Co<bool> pipes_closed(TimePoint& deadline, bool wait_while_held = true) {
    out_.ring_at_end(bell_);
    err_.ring_at_end(bell_);
    while (!out_.ended() || !err_.ended()) {
      if (wait_while_held && held()) {
        co_await bell_.wait();
        deadline = loop_.now() + policy_.leak_timeout;
        continue;
      }
      if (loop_.now() >= deadline) co_return false;
      co_await bell_.wait(deadline);
    }
    co_return true;
  }

  bool held() const noexcept { return out_.held() || err_.held(); }

  Co<bool> group_gone(TimePoint deadline) {
    while (!child_->ended()) {
      if (loop_.now() >= deadline) co_return false;
      co_await bell_.wait(deadline);
    }
    // Nothing tells when the last member goes; so where the leader is not the last, we ask again and again.
    for (Duration pause = 2ms; !co_await child_->alone(); pause = std::min(2 * pause, Duration(50ms))) {
      const TimePoint now = loop_.now();
      if (now >= deadline) co_return false;
      co_await async::sleep(std::min(pause, deadline - now));
    }
    co_return true;
  }

  Starter& starter_;
  async::ChildSpec& spec_;
  const StopPolicy& policy_;
  ProcessResult& result_;
  async::Loop& loop_;
  Bell bell_;
  Capture out_{result_.out};
  Capture err_{result_.err};
  std::unique_ptr<Child> child_;
  async::Call watch_;
  bool watched_ = false;
  bool stopped_ = false;
};

}  // namespace

Co<std::expected<Exit, async::StartError>> run_process(Starter& starter, async::ChildSpec spec,
                                                       const StopPolicy& policy, ProcessResult& result,
                                                       Listeners listeners) {
  async::TaskCell& task = co_await async::this_task();
  const int cancels_before = task.cancelling();
  if (task.cancel_pending()) co_await async::yield();  // Throws: what is to be stopped needn't be started.
  Attempt attempt(starter, spec, policy, result, listeners, task.loop());
  if (auto started = co_await attempt.start(); !started)
    co_return std::unexpected(std::move(started.error()));

  // Nothing can be awaited inside a catch block, so each phase leaves a mark and the next one goes on.
  bool cancelled = false;
  try {
    if (task.cancel_pending()) co_await async::yield();  // One that came while it was started.
    co_await attempt.leader_end();
    co_await attempt.settle();
  } catch (const Cancelled&) {
    cancelled = true;
  }
  if (cancelled) co_await attempt.stop(task.cancelling() > cancels_before + 1);
  const Exit exit = co_await attempt.finish();
  if (cancelled) throw Cancelled{};
  co_return exit;
}

}  // namespace gather::process
