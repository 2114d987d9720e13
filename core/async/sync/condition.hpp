/// Condition: waiting, without holding a lock, for what may change only under it; asyncio's Condition.
#pragma once

#include "core/async/sync/lock.hpp"

#include <cstddef>
#include <optional>
#include <type_traits>

namespace gather::async {

/// A lock, its own or one shared with other conditions, and those who wait to be notified.
///
///     auto guard = co_await condition.scoped();
///     co_await condition.wait_for([&] { return !items.empty(); });
///
/// notify() moves a waiter into the line for the lock, so that it wakes once, with the lock in hand, behind
/// those who asked for the lock before. Waiting and notifying allocate nothing; wait_for() makes one frame.
class Condition {
 public:
  /// With a lock of its own.
  Condition() : lock_(own_lock_.emplace()) {}
  /// On a lock that others use too, and that must outlive it.
  explicit Condition(Lock& lock) noexcept : lock_(lock) {}

  bool locked() const noexcept { return lock_.locked(); }
  Lock::Acquire acquire() noexcept { return lock_.acquire(); }
  ScopedAcquire<Lock> scoped() noexcept { return lock_.scoped(); }
  void release() { lock_.release(); }

  class [[nodiscard]] Wait final : public WaitOp {
   public:
    explicit Wait(Condition& condition) noexcept : WaitOp(condition.waiters_), condition_(condition) {}
    /// Throws InvalidState if the lock is not held.
    bool await_ready() const;
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
      WaitOp::await_suspend(frame);
      if (parked()) condition_.lock_.give_back();
    }
    void await_resume();

   private:
    friend class Condition;
    Abort abort() noexcept override;
    void undo() noexcept override;
    void line_up_for_lock() noexcept;

    Condition& condition_;
    bool notified_ = false;
    bool cancelled_ = false;  // While parked. Neither set: it stands in the condition's queue.
  };

  /// Releases the lock, waits to be notified, and resumes with the lock held again. Throws InvalidState if
  /// the lock is not held at the call.
  ///
  /// A cancelled caller too waits for the lock and holds it when Cancelled arrives, however often it was
  /// cancelled meanwhile; if it had been notified, the notification goes to the next one. Unlike asyncio's it
  /// never wakes unasked, but others may have run between notify() and its turn, so it is used in a loop all
  /// the same, or by wait_for.
  Wait wait() noexcept { return Wait(*this); }

  /// Waits until `predicate()`, called with the lock held, gives something that is true, and gives that. If
  /// the predicate throws after a notification, that goes to the next one (ours: asyncio's is lost).
  template <class Predicate>
  Co<std::invoke_result_t<Predicate&>> wait_for(Predicate predicate) {
    auto outcome = predicate();
    while (!outcome) {
      co_await wait();
      try {
        outcome = predicate();
      } catch (...) {
        wake(1);
        throw;
      }
    }
    co_return outcome;
  }

  /// Wakes the `count` who have waited longest and were not notified yet, or all there are. Throws
  /// InvalidState if the lock is not held.
  void notify(std::size_t count = 1);
  void notify_all();

 private:
  void wake(std::size_t count) noexcept;

  std::optional<Lock> own_lock_;
  Lock& lock_;
  WaitQueue waiters_;
};

}  // namespace gather::async
