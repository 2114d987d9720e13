/// Answer: what the launcher owes us, as something to wait for.
#pragma once

#include "core/async/task/co.hpp"
#include "core/async/task/op.hpp"

namespace gather::process::launcher {

/// An answer that is under way. One waits at a time.
class Answer {
 public:
  class Wait;

  void expect() noexcept { come_ = false; }
  void arrive() noexcept;
  bool has_come() const noexcept { return come_; }
  /// Resumes in the loop's next pass after it has come. A cancel is thrown then, or at once if it was due.
  Wait wait() noexcept;

 private:
  Wait* waiter_ = nullptr;
  bool come_ = false;
};

class Answer::Wait final : public async::Op {
 public:
  explicit Wait(Answer& answer) noexcept : answer_(answer) {}
  bool await_ready() const noexcept { return answer_.come_; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) answer_.waiter_ = this;
  }
  void await_resume() { leave(); }

 private:
  friend class Answer;
  Abort abort() noexcept override { return Abort::later; }

  Answer& answer_;
};

/// Waits until it has come, whatever happens: the other side is at work, and what it has done must not be
/// lost. A cancel meanwhile waits for the next await that suspends.
async::Co<> await(Answer& answer);

}  // namespace gather::process::launcher
