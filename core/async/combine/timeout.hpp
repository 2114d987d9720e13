/// Time limits around a piece of coroutine: asyncio's timeout() as a function that takes the body.
#pragma once

#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <optional>
#include <type_traits>
#include <utility>

namespace gather::async {

/// A deadline for the task that enters it. Cancels that task once when its time is up, and tells afterwards
/// whether a Cancelled that comes out of the body was its own doing. See CPython's asyncio.timeouts.
class TimeoutScope final : private Timer {
 public:
  TimeoutScope(TaskCell& task, std::optional<TimePoint> when);
  ~TimeoutScope();

  bool expired() const noexcept { return expired_; }
  std::optional<TimePoint> when() const noexcept { return when_; }

  /// Moves the deadline; none means no limit. No-op once it has expired.
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

/// The value type of the coroutine that `Body` makes of `Arguments`.
template <class Body, class... Arguments>
using BodyValue = CoValue<std::invoke_result_t<Body&, Arguments...>>;

/// Runs `body` until its deadline. When that passes, the body is cancelled; once it has cleaned up,
/// TimeoutError is thrown. A body that returns, or throws something else, after the cancel keeps that
/// outcome; a cancel from outside stays a cancel. `body` is a callable `Co<T>(TimeoutScope&)`, which may
/// reschedule.
template <class Body>
  requires std::is_invocable_v<Body&, TimeoutScope&>
Co<BodyValue<Body, TimeoutScope&>> timeout_at(std::optional<TimePoint> when, Body body) {
  TimeoutScope scope(co_await this_task(), when);
  try {
    co_return co_await body(scope);
  } catch (const Cancelled&) {
    scope.leave_cancelled();
    throw;
  }
}

/// The same for `length` from now, with a body `Co<T>()`.
template <class Body>
  requires std::is_invocable_v<Body&>
Co<BodyValue<Body>> timeout(Duration length, Body body) {
  TaskCell& task = co_await this_task();
  co_return co_await timeout_at(task.loop().now() + length, [&body](TimeoutScope&) { return body(); });
}

}  // namespace gather::async
