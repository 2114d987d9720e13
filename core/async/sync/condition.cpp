#include "core/async/sync/condition.hpp"

#include "core/async/task/error.hpp"

namespace gather::async {

bool Condition::Wait::await_ready() const {
  if (!condition_.locked()) throw InvalidState("waiting for a condition takes its lock");
  return false;
}

void Condition::Wait::line_up_for_lock() noexcept {
  Lock& lock = condition_.lock_;
  if (lock.take())
    complete();
  else
    join(lock.waiters_);
}

// A cancel does not take it out of the line for the lock. It is noted here and not left to the task alone,
// where an uncancel() before its turn would withdraw it: what was cancelled while it waited ends as such.
Op::Abort Condition::Wait::abort() noexcept {
  if (!notified_ && !cancelled_) {
    part();
    cancelled_ = true;
    line_up_for_lock();
  }
  cancelled_ = true;
  return Abort::later;
}

void Condition::Wait::undo() noexcept {
  if (notified_) condition_.wake(1);
}

void Condition::Wait::await_resume() {
  leave();
  if (!cancelled_) return;
  undo();
  throw Cancelled{};
}

void Condition::notify(std::size_t count) {
  if (!locked()) throw InvalidState("notifying a condition takes its lock");
  wake(count);
}

void Condition::notify_all() { notify(waiters_.size()); }

void Condition::wake(std::size_t count) noexcept {
  for (; count > 0 && !waiters_.empty(); --count) {
    auto& waiter = static_cast<Wait&>(*waiters_.take_first());
    waiter.notified_ = true;
    waiter.line_up_for_lock();
  }
}

}  // namespace gather::async
