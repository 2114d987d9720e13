/// Lock: mutual exclusion of tasks, asyncio's Lock.
#pragma once

#include "core/async/sync/guard.hpp"
#include "core/async/sync/waiters.hpp"

namespace gather::async {

/// One holder at a time, strictly first come, first served: release() hands the lock to the one who has
/// waited longest, so a newcomer can't overtake. It belongs to no task: another one may release it. Not
/// recursive. Allocates nothing.
class Lock {
 public:
  bool locked() const noexcept { return locked_; }

  /// Throws InvalidState if it is not locked.
  void release();

  class [[nodiscard]] Acquire final : public WaitOp {
   public:
    explicit Acquire(Lock& lock) noexcept : WaitOp(lock.waiters_), lock_(lock) {}
    bool await_ready() noexcept { return lock_.take(); }
    void await_resume() { leave(); }

   private:
    void undo() noexcept override { lock_.give_back(); }
    Lock& lock_;
  };

  /// Resumes with the lock held; at once, without suspending, if it is free. A cancelled caller does not hold
  /// it, also if it was handed to it just before: the next one in line has it then.
  Acquire acquire() noexcept { return Acquire(*this); }

  /// The same, giving a guard: `const auto guard = co_await lock.scoped();`
  ScopedAcquire<Lock> scoped() noexcept { return ScopedAcquire<Lock>(*this); }

 private:
  friend class Condition;
  friend class Guard<Lock>;

  bool take() noexcept { return !std::exchange(locked_, true); }
  void give_back() noexcept;

  bool locked_ = false;
  WaitQueue waiters_;  // Holds somebody only while it is locked.
};

}  // namespace gather::async
