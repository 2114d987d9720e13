#include "core/process/bell.hpp"

#include <cassert>

namespace gather::process {

void Bell::ring() noexcept {
  if (waiter_ == nullptr) {
    rung_ = true;
    return;
  }
  Wait& waiter = *waiter_;
  waiter.end();
  waiter.complete();
}

void Bell::Wait::begin() {
  assert(bell_.waiter_ == nullptr && "one waits at a time");
  bell_.waiter_ = this;
  if (deadline_) task().loop().arm(*this, *deadline_);
}

void Bell::Wait::end() noexcept {
  bell_.waiter_ = nullptr;
  if (armed()) task().loop().disarm(*this);
}

void Bell::Wait::on_time() noexcept {
  end();
  complete();
}

async::Op::Abort Bell::Wait::abort() noexcept {
  end();
  return Abort::detached;
}

}  // namespace gather::process
