/// Waiting for "something has changed" from several sides at once, with a deadline.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/task/op.hpp"

#include <coroutine>
#include <optional>
#include <utility>

namespace gather::process {

/// Rung by callbacks, heard by one coroutine, which then looks at what has changed. A ring that nobody waits
/// for is kept for the next wait; several count as one.
class Bell {
 public:
  class Wait;

  void ring() noexcept;

  /// Resumes the caller in the loop's next pass after a ring or at `deadline`, whichever is first; without
  /// parking if the bell has rung already. Cancelling takes it out at once. One waits at a time.
  Wait wait(std::optional<async::TimePoint> deadline = {}) noexcept;

 private:
  Wait* waiter_ = nullptr;
  bool rung_ = false;
};

class Bell::Wait final : public async::Op, private async::Timer {
 public:
  Wait(Bell& bell, std::optional<async::TimePoint> deadline) noexcept : bell_(bell), deadline_(deadline) {}

  bool await_ready() noexcept { return std::exchange(bell_.rung_, false); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  void await_resume() { leave(); }

 private:
  friend class Bell;
  void begin();
  void end() noexcept;
  void on_time() noexcept override;
  Abort abort() noexcept override;

  Bell& bell_;
  std::optional<async::TimePoint> deadline_;
};

inline Bell::Wait Bell::wait(std::optional<async::TimePoint> deadline) noexcept {
  return Wait(*this, deadline);
}

}  // namespace gather::process
