/// A test body as a coroutine in virtual time, which may leave tasks behind: what becomes of those is what
/// many of these tests are about.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"
#include "core/testing/testing.hpp"

#include <utility>

namespace gather::test {

template <class Body>
auto run_virtual(Body body) {
  return testing::run_virtual(std::move(body), {.may_leave_tasks = true});
}

}  // namespace gather::test
