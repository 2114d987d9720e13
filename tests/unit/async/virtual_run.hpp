/// A test body as a coroutine, on a loop in virtual time.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"

#include <memory>
#include <utility>

namespace gather::test {

/// Runs `body(loop)` on a fresh virtual loop and gives its value. The closure outlives the run.
template <class Body>
auto run_virtual(Body body) {
  async::Loop loop(async::make_virtual_poller());
  return loop.run(body(loop));
}

}  // namespace gather::test
