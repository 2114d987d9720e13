/// What the functions that take a body know about it: the type of its value, and how it ended.
#pragma once

#include "core/async/task/co.hpp"
#include "core/async/task/error.hpp"

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace gather::async {

/// The value type of the coroutine that `Body` makes of `Arguments`.
template <class Body, class... Arguments>
using BodyValue = CoValue<std::invoke_result_t<Body&, Arguments...>>;

/// `body(argument)`, or `body()` for one that takes no interest in it.
template <class Body, class Argument>
auto call_body(Body& body, Argument& argument) {
  if constexpr (std::is_invocable_v<Body&, Argument&>)
    return body(argument);
  else
    return body();
}

/// The value type of what call_body gives.
template <class Body, class Argument>
using CalledBodyValue = CoValue<decltype(call_body(std::declval<Body&>(), std::declval<Argument&>()))>;

/// Runs `body(arguments…)` and gives its value or what it threw, Cancelled too: for those who must await
/// something before they pass that on. Requires: awaited where it is made.
template <class Body, class... Arguments>
Co<Result<BodyValue<Body, Arguments&...>>> settle(Body& body, Arguments&... arguments) {
  using Outcome = Result<BodyValue<Body, Arguments&...>>;
  try {
    if constexpr (std::is_void_v<BodyValue<Body, Arguments&...>>) {
      co_await body(arguments...);
      co_return Outcome();
    } else {
      co_return Outcome(std::in_place, co_await body(arguments...));
    }
  } catch (...) {
    co_return std::unexpected(std::current_exception());
  }
}

/// What was thrown, or null.
template <class T>
std::exception_ptr error_of(const Result<T>& result) noexcept {
  if (result) return nullptr;
  return result.error();
}

/// The value, or throws the error.
template <class T>
T unwrap(Result<T> result) {
  if (!result) std::rethrow_exception(std::move(result).error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace gather::async
