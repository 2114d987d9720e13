/// Waiting for one another: Event and Semaphore, with asyncio's meaning. Single-threaded; no call blocks the
/// loop.
#pragma once

#include "core/async/sync/waiters.hpp"

#include <cstddef>

namespace gather::async {

/// A flag that tasks wait for. set() wakes all who wait now, also if clear() follows before they run.
class Event {
 public:
  bool is_set() const noexcept { return set_; }
  void set() noexcept;
  void clear() noexcept { set_ = false; }

  class Wait final : public WaitOp {
   public:
    explicit Wait(Event& event) noexcept : WaitOp(event.waiters_), event_(event) {}
    bool await_ready() const noexcept { return event_.set_; }
    void await_resume() { leave(); }

   private:
    Event& event_;
  };

  /// Resumes once the event is set; at once if it is.
  Wait wait() noexcept { return Wait(*this); }

 private:
  bool set_ = false;
  WaitQueue waiters_;
};

/// So many permits and no more, strictly first come, first served: a permit goes from hand to hand, so a
/// newcomer can't overtake one who waits. Allocates nothing.
class Semaphore {
 public:
  explicit Semaphore(std::size_t permits) noexcept : free_(permits) {}

  /// True if an acquire would have to wait.
  bool locked() const noexcept { return free_ == 0 || !waiters_.empty(); }
  std::size_t available() const noexcept { return free_; }

  /// Hands the permit to the one who has waited longest, or keeps it free.
  void release() noexcept;

  class Acquire final : public WaitOp {
   public:
    explicit Acquire(Semaphore& semaphore) noexcept : WaitOp(semaphore.waiters_), semaphore_(semaphore) {}
    bool await_ready() noexcept;
    void await_resume() { leave(); }

   private:
    void undo() noexcept override { semaphore_.release(); }
    Semaphore& semaphore_;
  };

  /// Resumes with a permit taken; at once if one is free and nobody waits. A cancelled caller has none, also
  /// if it was granted one just before.
  Acquire acquire() noexcept { return Acquire(*this); }

  /// Gives its permit back when it dies. `auto permit = co_await semaphore.scoped();`
  class Permit;
  class ScopedAcquire;
  ScopedAcquire scoped() noexcept;

 private:
  std::size_t free_;
  WaitQueue waiters_;
};

class [[nodiscard]] Semaphore::Permit {
 public:
  Permit(Permit&& other) noexcept : semaphore_(other.semaphore_) { other.semaphore_ = nullptr; }
  Permit& operator=(Permit&&) = delete;
  ~Permit() {
    if (semaphore_ != nullptr) semaphore_->release();
  }

 private:
  friend class ScopedAcquire;
  explicit Permit(Semaphore& semaphore) noexcept : semaphore_(&semaphore) {}
  Semaphore* semaphore_;
};

class Semaphore::ScopedAcquire {
 public:
  explicit ScopedAcquire(Semaphore& semaphore) noexcept : semaphore_(semaphore), acquire_(semaphore) {}
  bool await_ready() noexcept { return acquire_.await_ready(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
    acquire_.await_suspend(frame);
  }
  Permit await_resume() {
    acquire_.await_resume();
    return Permit(semaphore_);
  }

 private:
  Semaphore& semaphore_;
  Acquire acquire_;
};

inline Semaphore::ScopedAcquire Semaphore::scoped() noexcept { return ScopedAcquire(*this); }

}  // namespace gather::async
