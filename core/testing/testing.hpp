/// Test bodies as coroutines, for any test framework: pytest-asyncio's counterpart. Installed as
/// <gather/testing.hpp>.
#pragma once

#include "core/async/loop/step_observer.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/sleep.hpp"
#include "core/testing/cancel_everywhere.hpp"
#include "core/testing/settle.hpp"
#include "core/testing/test_loop.hpp"
#include "core/testing/trace.hpp"

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace gather::testing {

namespace detail {

template <class Body>
auto call(Body& body, async::Loop& loop) {
  if constexpr (std::invocable<Body&, async::Loop&>)
    return body(loop);
  else
    return body();
}

template <class Body>
using ValueOf = async::CoValue<decltype(call(std::declval<Body&>(), std::declval<async::Loop&>()))>;

template <class Body>
ValueOf<Body> run_on(TestLoop& world, Body& body) {
  if constexpr (std::is_void_v<ValueOf<Body>>) {
    world.loop().run_until_complete(call(body, world.loop()));
    world.finish();
  } else {
    ValueOf<Body> value = world.loop().run_until_complete(call(body, world.loop()));
    world.finish();
    return value;
  }
}

template <class Body>
ValueOf<Body> run_then_clear(TestLoop&& world, Body& body) {
  try {
    return run_on(world, body);
  } catch (...) {
    world.abandon();
    throw;
  }
}

}  // namespace detail

/// Runs `body(loop)`, or `body()`, on a loop of its own in real time, and gives its value or throws what it
/// threw. Knows no test framework: whatever leaves the body leaves the call.
///
///     TEST_CASE("a queue hands over what was put") {
///       gather::testing::run([](Loop& loop) -> Co<> { … CHECK(co_await queue.get() == 1); });
///     }
///
/// Throws TestFailure, with what every task waits for, if the body is not done within `limits.time`; and if
/// it is done but not alone: a task that still waits, a libuv handle that nobody closed, or an error that
/// nobody was told of (see Complaint; a body that expects some sets an exception handler of its own).
/// Everything that was left is cancelled and waited for first. The closure outlives the run, so its captures
/// may be used throughout.
template <class Body>
detail::ValueOf<Body> run(Body body, Limits limits = {}) {
  return detail::run_then_clear(TestLoop(async::make_uv_poller(), limits), body);
}

/// The same in virtual time: it stands still while anything is ready, then jumps to the next timer, so hours
/// take no time and the order of events is the same in every run. No libuv handle can be made.
///
/// `limits.time` still counts real time, against bodies that go on for ever. Where nothing can happen any
/// more it throws Deadlock at once, also with what every task waits for.
template <class Body>
detail::ValueOf<Body> run_virtual(Body body, Limits limits = {}) {
  return detail::run_then_clear(TestLoop(async::make_virtual_poller(), limits), body);
}

/// Lets `length` pass, and then everything that fell due run until it waits again.
inline async::Co<> advance(Duration length) {
  co_await async::sleep(length);
  co_await settle();
}

}  // namespace gather::testing
