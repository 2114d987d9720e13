#include "core/async/sync/lock.hpp"

#include "core/async/task/error.hpp"

#include <cassert>

namespace gather::async {

void Lock::release() {
  if (!locked_) throw InvalidState("a lock that is not held can't be released");
  give_back();
}

void Lock::give_back() noexcept {
  assert(locked_ && "somebody released a lock that a guard holds");
  if (!waiters_.complete_first()) locked_ = false;
}

}  // namespace gather::async
