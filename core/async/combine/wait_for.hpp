/// wait_for: one thing with a limit on how long it may take.
#pragma once

#include "core/async/combine/ensure_future.hpp"
#include "core/async/combine/timeout.hpp"

#include <optional>
#include <utility>

namespace gather::async {

/// Waits for `body` at most so long, or as long as it takes; gives its value or throws what it threw.
///
/// After that time it is cancelled, and when it has ended, TimeoutError is thrown; if it swallows the cancel
/// and returns, or throws something else, that is the outcome. A cancel of the caller cancels it, waits for
/// its end, and leaves as Cancelled, also if both happen in one pass. A length of 0 or less gives the value
/// of what is done, and TimeoutError otherwise; a coroutine is then not started at all.
///
/// A coroutine runs in the caller's task. A task or a future is cancelled by the limit, so pass shield(task)
/// if it is to go on.
template <class T>
Co<T> wait_for(Co<T> body, std::optional<Duration> length) {
  if (length && *length <= Duration(0)) {
    std::move(body).close();
    throw TimeoutError();
  }
  TaskCell& task = co_await this_task();
  TimeoutScope scope(task, TimeoutScope::deadline(task, length));
  try {
    co_return co_await std::move(body);
  } catch (const Cancelled&) {
    scope.leave_cancelled();
    throw;
  }
}

template <Combinable Handle>
  requires std::derived_from<Handle, AnyFuture>
Co<typename Handle::Value> wait_for(Handle handle, std::optional<Duration> length) {
  TaskCell& task = co_await this_task();
  TimeoutScope scope(task, TimeoutScope::deadline(task, length));
  try {
    co_return co_await detail::join(handle);
  } catch (const Cancelled&) {
    scope.leave_cancelled();
    throw;
  }
}

}  // namespace gather::async
