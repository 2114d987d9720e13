#include "core/async/sync/waiters.hpp"

#include <cassert>

namespace gather::async {

WaitQueue::~WaitQueue() { assert(empty() && "what is waited for must outlive those who wait"); }

bool WaitQueue::complete_first() noexcept {
  if (first_ == nullptr) return false;
  WaitOp& waiter = *first_;
  waiter.part();
  waiter.complete();
  return true;
}

void WaitOp::join() noexcept {
  previous_ = queue_.last_;
  next_ = nullptr;
  (previous_ != nullptr ? previous_->next_ : queue_.first_) = this;
  queue_.last_ = this;
}

void WaitOp::part() noexcept {
  (previous_ != nullptr ? previous_->next_ : queue_.first_) = next_;
  (next_ != nullptr ? next_->previous_ : queue_.last_) = previous_;
}

Op::Abort WaitOp::abort() noexcept {
  part();
  return Abort::detached;
}

}  // namespace gather::async
