/// Time limits around a piece of coroutine: asyncio's timeout() as a function that takes the body.
#pragma once

#include "core/async/combine/body.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <optional>

namespace gather::async {

/// A deadline for the task that enters it. Cancels that task once when its time is up, and tells afterwards
/// whether a Cancelled that comes out of the body was its own doing. See CPython's asyncio.timeouts.
class TimeoutScope final : private Timer {
 public:
  TimeoutScope(TaskCell& task, std::optional<TimePoint> when);
  ~TimeoutScope();

  /// So long from now on the task's loop; none for none.
  static std::optional<TimePoint> deadline(const TaskCell& task, std::optional<Duration> length) noexcept;

  bool expired() const noexcept { return expired_; }
  std::optional<TimePoint> when() const noexcept { return when_; }

  /// Moves the deadline; none means no limit, one that has passed expires in the next pass. Throws
  /// InvalidState once it has expired.
  void reschedule(std::optional<TimePoint> when);

  /// For a Cancelled that leaves the body: takes back the scope's own request, and throws TimeoutError if no
  /// other request is left; otherwise returns, and the Cancelled must go on.
  void leave_cancelled();

 private:
  void on_time() noexcept override;
  int settle() noexcept;

  TaskCell& task_;
  std::optional<TimePoint> when_;
  int requests_on_entry_;
  bool expired_ = false;
  bool own_request_ = false;  // Made by on_time and not taken back yet.
};

/// Runs `body`, a callable `Co<T>(TimeoutScope&)` or `Co<T>()`, until its deadline; none means no limit. It
/// may move the deadline through the scope.
///
/// When the deadline passes, the body is cancelled; once it has cleaned up, TimeoutError is thrown. A body
/// that returns, or throws something else, after the cancel keeps that outcome. A cancel from outside stays a
/// cancel, also one that came before a deadline that had passed on entry (ours: CPython lets the timeout eat
/// it, python/cpython#134471). As a function it can neither be entered twice nor outside a task.
template <class Body>
Co<CalledBodyValue<Body, TimeoutScope>> timeout_at(std::optional<TimePoint> when, Body body) {
  TimeoutScope scope(co_await this_task(), when);
  try {
    co_return co_await call_body(body, scope);
  } catch (const Cancelled&) {
    scope.leave_cancelled();
    throw;
  }
}

/// The same for `length` from now. A body that suspends is cancelled at once by a length of 0 or less.
template <class Body>
Co<CalledBodyValue<Body, TimeoutScope>> timeout(std::optional<Duration> length, Body body) {
  TaskCell& task = co_await this_task();
  TimeoutScope scope(task, TimeoutScope::deadline(task, length));
  try {
    co_return co_await call_body(body, scope);
  } catch (const Cancelled&) {
    scope.leave_cancelled();
    throw;
  }
}

}  // namespace gather::async
