/// Test bodies as coroutines in virtual time: gather::testing's, under the name that the tests use.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"
#include "core/testing/testing.hpp"

namespace gather::test {

using testing::run_virtual;

}  // namespace gather::test
