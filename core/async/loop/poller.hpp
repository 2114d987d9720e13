/// Where a loop gets its time and its events from: libuv for real, or nothing at all and virtual time.
#pragma once

#include "core/async/loop/timer_queue.hpp"

#include <memory>
#include <optional>

struct uv_loop_s;

namespace gather::async {

class Loop;

/// The outside world of one loop. All calls but wake() come from the loop's thread.
class Poller {
 public:
  virtual ~Poller() = default;

  virtual TimePoint now() const noexcept = 0;

  /// Hands over events that are there already, without waiting; not where it did so a moment ago. Callbacks
  /// only enqueue.
  virtual void poll() = 0;

  /// Waits for events, until `deadline` at the latest where there is one. May return early. Throws Deadlock
  /// when it can tell that nothing will ever come.
  virtual void wait(std::optional<TimePoint> deadline) = 0;

  /// Ends a wait(), present or next. The only call for other threads.
  virtual void wake() noexcept = 0;

  /// The libuv loop, for the files that own handles. A virtual poller has none and asserts.
  virtual uv_loop_s& uv() noexcept = 0;

  virtual bool is_virtual() const noexcept = 0;
};

/// Real time: a libuv loop whose waits end at a timerfd, to the nanosecond where the kernel can.
///
/// Throws gather::Error if the loop can't be made, for want of descriptors as a rule.
std::unique_ptr<Poller> make_uv_poller();

/// Virtual time: starts at 0, stands still while anything is ready, and jumps to the next timer. It opens no
/// libuv handle and no descriptor, so that what runs on it is repeatable to the nanosecond.
std::unique_ptr<Poller> make_virtual_poller();

}  // namespace gather::async
