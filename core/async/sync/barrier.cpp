#include "core/async/sync/barrier.hpp"

namespace gather::async {

Barrier::Barrier(std::ptrdiff_t parties) : parties_(static_cast<std::size_t>(parties)) {
  if (parties < 1) throw std::invalid_argument("a barrier is for 1 or more");
}

bool Barrier::Wait::await_ready() {
  if (barrier_.broken_) throw BrokenBarrierError();
  if (barrier_.leaving_ > 0 || barrier_.waiters_.size() + 1 < barrier_.parties_) return false;
  index_ = barrier_.parties_ - 1;
  barrier_.let_go(index_);
  return true;
}

std::size_t Barrier::Wait::await_resume() {
  leave();
  if (!let_go_) return index_;
  const bool broken = barrier_.leavers_broken_;
  barrier_.left();
  if (broken) throw BrokenBarrierError();
  return index_;
}

void Barrier::Wait::let_go(std::size_t index) noexcept {
  index_ = index;
  let_go_ = true;
  complete();
}

void Barrier::let_go(std::size_t count) noexcept {
  leaving_ += count;
  for (std::size_t i = 0; i < count; ++i) static_cast<Wait&>(*waiters_.take_first()).let_go(i);
}

void Barrier::left() noexcept {
  if (--leaving_ > 0) return;
  leavers_broken_ = false;
  if (waiters_.size() >= parties_) let_go(parties_);
}

void Barrier::reset() noexcept {
  broken_ = false;
  if (leaving_ == 0) let_go(waiters_.size());
  leavers_broken_ = leaving_ > 0;
}

void Barrier::abort() noexcept {
  broken_ = true;
  let_go(waiters_.size());
  leavers_broken_ = leaving_ > 0;
}

}  // namespace gather::async
