#include "core/async/task/sleep.hpp"

#include "core/async/loop/loop.hpp"

namespace gather::async {

void Sleep::begin() {
  Loop& loop = task().loop();
  if (length_ <= Duration(0))
    complete();
  else
    loop.arm(*this, loop.now() + length_);
}

Op::Abort Sleep::abort() noexcept {
  task().loop().disarm(*this);
  return Abort::detached;
}

}  // namespace gather::async
