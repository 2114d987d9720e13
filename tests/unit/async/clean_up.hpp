/// A task that takes its time when it is cancelled.
#pragma once

#include "core/async/task/error.hpp"
#include "core/async/task/sleep.hpp"

#include <chrono>
#include <exception>

namespace gather::test {

/// Sleeps an hour, or until it is cancelled and has cleaned up for `cleanup`; then passes the cancel on.
inline async::Co<> clean_up_for(Duration cleanup) {
  std::exception_ptr cancelled;
  try {
    co_await async::sleep(std::chrono::hours(1));
  } catch (const async::Cancelled&) {
    cancelled = std::current_exception();
  }
  co_await async::sleep(cleanup);
  if (cancelled) std::rethrow_exception(cancelled);
}

}  // namespace gather::test
