#include "core/testing/settle.hpp"

#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/testing/test_poller.hpp"

namespace gather::testing {

void Settle::begin() { poller_.add(*this); }

async::Op::Abort Settle::abort() noexcept {
  poller_.remove(*this);
  return Abort::detached;
}

Settle settle() {
  auto* const poller = dynamic_cast<TestPoller*>(&async::get_running_loop().poller());
  if (poller == nullptr) throw async::InvalidState("settle() works on loops of gather::testing alone");
  return Settle(*poller);
}

}  // namespace gather::testing
