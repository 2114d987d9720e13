/// A child of ours until it is reaped: its end, signals to it, and the promise that no zombie stays. It knows
/// no pipes.
#pragma once

#include "core/async/io/child.hpp"
#include "core/async/io/descriptor.hpp"
#include "core/async/loop/watch.hpp"
#include "core/async/sync/waiters.hpp"
#include "core/async/task/co.hpp"

#include <sys/types.h>

#include <memory>
#include <optional>

namespace gather::async {

/// Watches one child by its pidfd and reaps it when it ends; nobody else may wait for it. All on the loop's
/// thread.
class ChildWatch final : private FdWatch {
 public:
  /// Takes the child over; it is killed and reaped if this throws (gather::Error, when the kernel has no
  /// watch left). `leads_group`: it was started with new_session.
  ChildWatch(Loop& loop, const StartedChild& child, bool leads_group);
  /// Kills and reaps a child that runs, and stands until that is done; who can wait calls abandon(). One that
  /// may not be killed, as it runs as somebody else, is left to itself.
  ~ChildWatch();

  pid_t pid() const noexcept { return pid_; }

  /// The exit code, or the negative number of the signal that ended it; empty while it runs, and until the
  /// loop has seen that it does not. 255 if somebody else has reaped it, as in asyncio.
  std::optional<int> returncode() const noexcept { return returncode_; }

  class Wait;
  /// Resumes with the return code; at once if it is there. A cancel takes the waiter out and does nothing to
  /// the child. Any number may wait; the watch must outlive them.
  Wait wait() noexcept;

  /// False, and nothing happens, if the child has ended. Throws std::system_error: EINVAL for a number that
  /// is no signal, EPERM if the child has become somebody else's. It can't reach a process that got the
  /// child's number later: the pidfd stands for this one alone.
  bool signal(int number);
  /// The same for its group if it leads one, otherwise for itself. Its number is not given out again
  /// before it is reaped, so this can't go astray either.
  bool signal_group(int number);

  /// Kills the child, with its group if it leads one, and leaves the reaping to a task of the loop, which
  /// ends no earlier than that: nothing is detached. One that may not be killed is waited for until that task
  /// is cancelled. No-op for one that has ended.
  static void abandon(std::unique_ptr<ChildWatch> child) noexcept;

 private:
  void on_events(Events events) noexcept override;
  static Co<> reap_later(std::unique_ptr<ChildWatch> child);
  /// False if we may not.
  bool kill_now() noexcept;
  bool reap(int options) noexcept;

  Loop& loop_;
  pid_t pid_;
  Descriptor pidfd_;
  bool leads_group_;
  std::optional<int> returncode_;
  WaitQueue waiters_;
};

class ChildWatch::Wait final : public WaitOp {
 public:
  explicit Wait(ChildWatch& child) noexcept : WaitOp(child.waiters_), child_(child) {}
  bool await_ready() const noexcept { return child_.returncode_.has_value(); }
  int await_resume() {
    leave();
    return *child_.returncode_;
  }

 private:
  ChildWatch& child_;
};

inline ChildWatch::Wait ChildWatch::wait() noexcept { return Wait(*this); }

}  // namespace gather::async
