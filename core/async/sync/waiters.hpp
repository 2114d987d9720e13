/// Those who wait for one thing, first come, first served; each node lives in the frame that waits.
#pragma once

#include "core/async/task/op.hpp"

#include <cstddef>

namespace gather::async {

class WaitOp;

/// Intrusive and doubly linked, so that a cancelled waiter leaves in O(1). Does not own its nodes, and must
/// outlive them.
class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;
  ~WaitQueue();

  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t size() const noexcept { return size_; }

  /// Takes out the one that has waited longest, still parked; null if nobody waits.
  WaitOp* take_first() noexcept;

  /// Completes the one that has waited longest and takes it out. False if nobody waits.
  bool complete_first() noexcept;
  void complete_all() noexcept {
    while (complete_first()) {
    }
  }

 private:
  friend class WaitOp;
  WaitOp* first_ = nullptr;
  WaitOp* last_ = nullptr;
  std::size_t size_ = 0;
};

/// An op that is a place in a WaitQueue. Cancelling takes it out.
class WaitOp : public Op {
 public:
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) noexcept {
    if (park(frame)) join(*queue_);
  }

 protected:
  explicit WaitOp(WaitQueue& queue) noexcept : queue_(&queue) {}
  ~WaitOp() = default;

  /// Stands at the end of `queue` from now on. Requires: parked, and in no queue.
  void join(WaitQueue& queue) noexcept;
  /// Leaves its queue. Requires: in it.
  void part() noexcept;

  Abort abort() noexcept override;

 private:
  friend class WaitQueue;

  WaitQueue* queue_;
  WaitOp* previous_ = nullptr;
  WaitOp* next_ = nullptr;
};

}  // namespace gather::async
