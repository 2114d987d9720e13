/// Waiting for a moment or for the next pass: sleep and yield.
#pragma once

#include "core/async/loop/timer_queue.hpp"
#include "core/async/task/op.hpp"

namespace gather::async {

/// See sleep.
class Sleep final : public Op, private Timer {
 public:
  explicit Sleep(Duration length) noexcept : length_(length) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  void await_resume() { leave(); }

 private:
  void begin();
  void on_time() noexcept override { complete(); }
  Abort abort() noexcept override;

  Duration length_;
};

/// Resumes the caller once `length` has passed, never early; a length of 0 or less is exactly one trip
/// through the ready queue. Allocates nothing. Cancelling the caller takes the timer out at once.
inline Sleep sleep(Duration length) noexcept { return Sleep(length); }

/// Lets everything else that is ready run first.
inline Sleep yield() noexcept { return Sleep(Duration(0)); }

}  // namespace gather::async
