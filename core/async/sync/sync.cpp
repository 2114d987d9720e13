#include "core/async/sync/sync.hpp"

namespace gather::async {

void Event::set() noexcept {
  set_ = true;
  waiters_.complete_all();
}

void Semaphore::release() noexcept {
  if (!waiters_.complete_first()) ++free_;
}

bool Semaphore::Acquire::await_ready() noexcept {
  if (semaphore_.locked()) return false;
  --semaphore_.free_;
  return true;
}

}  // namespace gather::async
