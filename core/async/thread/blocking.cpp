#include "core/async/thread/blocking.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/thread/threads.hpp"

namespace gather::async {

void BlockingOp::begin() noexcept {
  try {
    (chosen_ != nullptr ? *chosen_ : threads_of(task().loop()).default_pool()).submit(*this);
  } catch (...) {
    error_ = std::current_exception();
    complete();
  }
}

// The task is parked until its loop has the message, so both are there for all of this.
void BlockingOp::run() noexcept {
  try {
    call();
  } catch (...) {
    error_ = std::current_exception();
  }
  task().loop().post([this] { complete(); });
}

}  // namespace gather::async
