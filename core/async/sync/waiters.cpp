#include "core/async/sync/waiters.hpp"

#include <cassert>

namespace gather::async {

WaitQueue::~WaitQueue() { assert(empty() && "what is waited for must outlive those who wait"); }

WaitOp* WaitQueue::take_first() noexcept {
  WaitOp* const waiter = first_;
  if (waiter != nullptr) waiter->part();
  return waiter;
}

bool WaitQueue::complete_first() noexcept {
  WaitOp* const waiter = take_first();
  if (waiter == nullptr) return false;
  waiter->complete();
  return true;
}

void WaitOp::join(WaitQueue& queue) noexcept {
  queue_ = &queue;
  previous_ = queue.last_;
  next_ = nullptr;
  (previous_ != nullptr ? previous_->next_ : queue.first_) = this;
  queue.last_ = this;
  ++queue.size_;
}

void WaitOp::part() noexcept {
  (previous_ != nullptr ? previous_->next_ : queue_->first_) = next_;
  (next_ != nullptr ? next_->previous_ : queue_->last_) = previous_;
  --queue_->size_;
}

Op::Abort WaitOp::abort() noexcept {
  part();
  return Abort::detached;
}

}  // namespace gather::async
