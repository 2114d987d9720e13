#include "core/async/sync/semaphore.hpp"

#include "core/async/task/error.hpp"

#include <cassert>
#include <stdexcept>

namespace gather::async {

Semaphore::Semaphore(std::ptrdiff_t permits, std::ptrdiff_t bound) : free_(permits), bound_(bound) {
  if (permits < 0) throw std::invalid_argument("a semaphore can't have fewer than 0 permits");
}

bool Semaphore::Acquire::await_ready() noexcept {
  if (semaphore_.locked()) return false;
  --semaphore_.free_;
  return true;
}

void Semaphore::release() {
  if (free_ >= bound_) throw InvalidState("a bounded semaphore was released more often than acquired");
  give_back();
}

void Semaphore::give_back() noexcept {
  assert(free_ < bound_ && "somebody released a permit that another one holds");
  if (!waiters_.complete_first()) ++free_;
}

}  // namespace gather::async
