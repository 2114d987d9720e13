/// Cleanup that awaits, on every way out: finally, with, aclosing. Destructors can't await, and neither can
/// catch blocks.
#pragma once

#include "core/async/combine/body.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/error.hpp"

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

namespace gather::async {

/// Runs `body()`, a `Co<T>`, and then `cleanup()`, a `Co<>`, once, whether the body returned, threw or was
/// cancelled; gives the body's value or throws what it threw. What the cleanup throws takes its place.
///
/// A cancel is told once, so the cleanup may await as it likes: the one that ended the body is not told
/// again, its count stays, and it goes on when the cleanup is done. A further cancel does reach the cleanup,
/// so that a second Ctrl-C gets through; what must not be cut short even then belongs into a timeout or a
/// task of its own.
template <class Body, class Cleanup>
Co<BodyValue<Body>> finally(Body body, Cleanup cleanup) {
  auto result = co_await settle(body);
  co_await cleanup();
  co_return unwrap(std::move(result));
}

/// What `async with` takes: `co_await enter()` begins, and may give something to work with; `co_await
/// exit(error)` ends it, and is told what the body threw, null if it returned. Exit can't swallow that (ours:
/// a `Co<int>` whose body threw has no int to give).
template <class T>
concept ContextManager = requires(T& resource, std::exception_ptr error) {
  resource.enter();
  resource.exit(error);
};

/// What is held and given back, as locks and semaphores are: `co_await acquire()`, and a release() that does
/// not wait.
template <class T>
concept Acquirable = requires(T& resource) {
  resource.acquire();
  { resource.release() } -> std::same_as<void>;
};

namespace detail {

template <class Awaited>
decltype(auto) awaiter_of(Awaited&& awaited) {
  if constexpr (requires { std::forward<Awaited>(awaited).operator co_await(); })
    return std::forward<Awaited>(awaited).operator co_await();
  else
    return std::forward<Awaited>(awaited);
}

template <class Resource, class Body>
struct WithValue {
  using Type = BodyValue<Body>;
};
template <ContextManager Resource, class Body>
  requires(!std::is_invocable_v<Body&>)
struct WithValue<Resource, Body> {
  using Entered = decltype(awaiter_of(std::declval<Resource&>().enter()).await_resume());
  using Type = BodyValue<Body, Entered&>;
};

// `Resource` is a reference for an lvalue, and a value otherwise, which then lives in this frame.
template <class Resource, class Body>
Co<typename WithValue<Resource, Body>::Type> with(Resource resource, Body body) {
  if constexpr (!ContextManager<Resource>) {
    struct Release {
      std::remove_reference_t<Resource>& resource;
      ~Release() { resource.release(); }
    };
    co_await resource.acquire();
    const Release release(resource);
    co_return co_await body();
  } else if constexpr (std::is_invocable_v<Body&>) {
    co_await resource.enter();
    auto result = co_await settle(body);
    co_await resource.exit(error_of(result));
    co_return unwrap(std::move(result));
  } else {
    auto&& entered = co_await resource.enter();
    auto result = co_await settle(body, entered);
    co_await resource.exit(error_of(result));
    co_return unwrap(std::move(result));
  }
}

}  // namespace detail

/// Runs `body`, a `Co<T>`, while it holds `resource`, and gives the body's value: `async with`. The body gets
/// what enter() gave if it takes an argument. A resource passed as an rvalue lives as long as this runs.
///
/// Where entering fails or is cancelled, neither body nor exit runs. Otherwise exit runs once, on every way
/// out; see finally for cancels, and for what it may await and throw.
template <class Resource, class Body>
  requires ContextManager<std::remove_reference_t<Resource>> || Acquirable<std::remove_reference_t<Resource>>
auto with(Resource&& resource, Body body) {
  return detail::with<Resource, Body>(std::forward<Resource>(resource), std::move(body));
}

/// Runs `body(thing)`, a `Co<T>`, closes `thing` with `co_await thing.aclose()` on every way out, and gives
/// the body's value: contextlib.aclosing, for async generators and whatever else has an aclose(). See
/// finally.
template <class Closable, class Body>
Co<BodyValue<Body, Closable&>> aclosing(Closable thing, Body body) {
  auto result = co_await settle(body, thing);
  co_await thing.aclose();
  co_return unwrap(std::move(result));
}

}  // namespace gather::async
