/// Semaphore and BoundedSemaphore: so many at once and no more, asyncio's.
#pragma once

#include "core/async/sync/guard.hpp"
#include "core/async/sync/waiters.hpp"

#include <cstddef>
#include <limits>

namespace gather::async {

/// So many permits, strictly first come, first served: a permit goes from hand to hand, so a newcomer can't
/// overtake one who waits. Allocates nothing.
class Semaphore {
 public:
  /// Throws std::invalid_argument if `permits` is negative.
  explicit Semaphore(std::ptrdiff_t permits = 1) : Semaphore(permits, unbounded) {}

  /// True if an acquire would have to wait.
  bool locked() const noexcept { return free_ == 0; }
  std::size_t available() const noexcept { return static_cast<std::size_t>(free_); }

  /// Hands a permit to the one who has waited longest, or keeps it free; also one that was never acquired.
  /// In a BoundedSemaphore that throws InvalidState if as many are free as there were at first.
  void release();

  class [[nodiscard]] Acquire final : public WaitOp {
   public:
    explicit Acquire(Semaphore& semaphore) noexcept : WaitOp(semaphore.waiters_), semaphore_(semaphore) {}
    bool await_ready() noexcept;
    void await_resume() { leave(); }

   private:
    void undo() noexcept override { semaphore_.give_back(); }
    Semaphore& semaphore_;
  };

  /// Resumes with a permit taken; at once, without suspending, if one is free. A cancelled caller has none,
  /// also if it was handed one just before: the next one in line has it then.
  Acquire acquire() noexcept { return Acquire(*this); }

  /// The same, giving a guard: `const auto permit = co_await semaphore.scoped();`
  using Permit = Guard<Semaphore>;
  ScopedAcquire<Semaphore> scoped() noexcept { return ScopedAcquire<Semaphore>(*this); }

 protected:
  Semaphore(std::ptrdiff_t permits, std::ptrdiff_t bound);

 private:
  friend class Guard<Semaphore>;
  static constexpr std::ptrdiff_t unbounded = std::numeric_limits<std::ptrdiff_t>::max();

  void give_back() noexcept;

  std::ptrdiff_t free_;
  std::ptrdiff_t bound_;
  WaitQueue waiters_;  // Holds somebody only while nothing is free.
};

/// A semaphore for permits that are all acquired before they are released: a release too many is an error.
class BoundedSemaphore : public Semaphore {
 public:
  /// Throws std::invalid_argument if `permits` is negative.
  explicit BoundedSemaphore(std::ptrdiff_t permits = 1) : Semaphore(permits, permits) {}
};

}  // namespace gather::async
