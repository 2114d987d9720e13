/// Barrier: tasks that go on together, once there are enough of them; asyncio's Barrier.
#pragma once

#include "core/async/sync/waiters.hpp"

#include <cstddef>
#include <stdexcept>

namespace gather::async {

/// The barrier was aborted, or reset while this task waited at it.
class BrokenBarrierError : public std::runtime_error {
 public:
  BrokenBarrierError() : std::runtime_error("the barrier is broken") {}
};

/// Lets tasks pass in parties of a fixed size, again and again. Those who come while a party is still
/// leaving wait for it to be gone, and belong to the next. Allocates nothing.
///
/// asyncio's `async with barrier` does nothing on leaving, so `co_await barrier.wait()` is all there is here.
class Barrier {
 public:
  /// Throws std::invalid_argument if `parties` is below 1.
  explicit Barrier(std::ptrdiff_t parties);

  std::size_t parties() const noexcept { return parties_; }
  /// How many wait for their party to be complete; 0 while one is leaving.
  std::size_t n_waiting() const noexcept { return leaving_ > 0 ? 0 : waiters_.size(); }
  /// Aborted, and not reset since.
  bool broken() const noexcept { return broken_; }

  class [[nodiscard]] Wait final : public WaitOp {
   public:
    explicit Wait(Barrier& barrier) noexcept : WaitOp(barrier.waiters_), barrier_(barrier) {}
    /// True for the last of a party. Throws BrokenBarrierError.
    bool await_ready();
    std::size_t await_resume();

   private:
    friend class Barrier;
    void undo() noexcept override { barrier_.left(); }
    void let_go(std::size_t index) noexcept;

    Barrier& barrier_;
    std::size_t index_ = 0;
    bool let_go_ = false;
  };

  /// Waits until a party is complete, and gives each of its members another index below parties(), in the
  /// order in which they came; the last one goes on at once. (ours: asyncio counts on arrival, and after a
  /// cancel may give an index twice.)
  ///
  /// Throws BrokenBarrierError if the barrier is broken, or becomes so before the task has passed. A
  /// cancelled caller no longer counts, and breaks nothing.
  Wait wait() noexcept { return Wait(*this); }

  /// Breaks the waits of those who wait, or are leaving and have not run yet; then it is as new. Those who
  /// came while others were leaving are not touched. (Plain functions: asyncio's need to await a lock.)
  void reset() noexcept;
  /// Breaks every wait, present and to come, until reset().
  void abort() noexcept;

 private:
  void let_go(std::size_t count) noexcept;
  void left() noexcept;

  std::size_t parties_;
  std::size_t leaving_ = 0;      // Complete or broken, and not run yet.
  bool leavers_broken_ = false;  // Whether those throw.
  bool broken_ = false;
  WaitQueue waiters_;
};

}  // namespace gather::async
