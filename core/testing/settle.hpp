/// settle: let everything run that can, until all that is left is waiting.
#pragma once

#include "core/async/task/op.hpp"

namespace gather::testing {

class TestPoller;

/// See settle.
class Settle final : public async::Op {
 public:
  explicit Settle(TestPoller& poller) noexcept : poller_(poller) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  void await_resume() { leave(); }

 private:
  friend class TestPoller;
  void begin();
  Abort abort() noexcept override;

  TestPoller& poller_;
};

/// Resumes the caller once nothing else is ready: every other task has run until it waits for time, for the
/// outside world, or for another one that does. Time does not move for it. On a real loop, what had come from
/// the outside by then has been seen to; threads and other processes may still be at work.
///
/// Several callers resume together. Cancelling a caller takes it out at once. Throws InvalidState where the
/// running loop is none of this library's test loops.
Settle settle();

}  // namespace gather::testing
