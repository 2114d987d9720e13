/// Event: a flag that tasks wait for, asyncio's Event.
#pragma once

#include "core/async/sync/waiters.hpp"

namespace gather::async {

/// set() wakes all who wait now, also if clear() follows before they run. Allocates nothing.
class Event {
 public:
  bool is_set() const noexcept { return set_; }
  void set() noexcept {
    set_ = true;
    waiters_.complete_all();
  }
  void clear() noexcept { set_ = false; }

  class [[nodiscard]] Wait final : public WaitOp {
   public:
    explicit Wait(Event& event) noexcept : WaitOp(event.waiters_), event_(event) {}
    bool await_ready() const noexcept { return event_.set_; }
    void await_resume() { leave(); }

   private:
    Event& event_;
  };

  /// Resumes once the event is set, in the pass after set(); at once if it is set already. Cancelling the
  /// caller takes it out of those who wait.
  Wait wait() noexcept { return Wait(*this); }

 private:
  bool set_ = false;
  WaitQueue waiters_;
};

}  // namespace gather::async
