/// run_coroutine_threadsafe: from a thread into a loop, and back with a result.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/task/context.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/frame.hpp"
#include "core/async/thread/concurrent_future.hpp"

#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

namespace gather::async {

namespace detail {

/// The loop's end of a ConcurrentFuture, which it ends in any case: a promise that dies unkept was dropped
/// with its loop, or with a task that was cancelled before its first step.
template <class T>
class ConcurrentPromise {
 public:
  using State = TypedConcurrentState<T>;

  explicit ConcurrentPromise(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
  ConcurrentPromise(ConcurrentPromise&&) = default;
  ConcurrentPromise& operator=(ConcurrentPromise&&) = delete;
  ~ConcurrentPromise() {
    if (!state_) return;
    if (state_->task && state_->task.cancelling() > 0)
      fail(std::make_exception_ptr(Cancelled{}));
    else
      fail(std::make_exception_ptr(InvalidState("the loop was closed before the coroutine ended")));
  }

  State& state() const noexcept { return *state_; }

  template <class... Value>
  void keep(Value&&... value) {
    state_->end(nullptr, [&] { state_->value.emplace(std::forward<Value>(value)...); });
    release();
  }
  /// False if it was cancelled on the other side, where nobody hears of the error then.
  bool fail(std::exception_ptr error) {
    const bool told = state_->end(std::move(error), [] {});
    release();
    return told;
  }

 private:
  void release() noexcept {
    state_->task = {};  // While this is the loop's thread for sure.
    state_ = nullptr;
  }

  std::shared_ptr<State> state_;
};

/// A coroutine that was made on another thread.
template <class T>
struct ForeignCo {
  explicit ForeignCo(Co<T> made_elsewhere) noexcept : co(std::move(made_elsewhere)) {}
  ForeignCo(ForeignCo&&) = default;
  ForeignCo& operator=(ForeignCo&&) = delete;
  ~ForeignCo() {
    const ForeignFrames free_it_plainly;
    std::move(co).close();
  }

  Co<T> co;
};

template <class T>
Co<> relay(ConcurrentPromise<T> promise, ForeignCo<T> body) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(body.co);
      promise.keep();
    } else {
      promise.keep(co_await std::move(body.co));
    }
  } catch (const Cancelled&) {
    promise.fail(std::current_exception());
    throw;
  } catch (...) {
    if (!promise.fail(std::current_exception())) throw;
  }
}

}  // namespace detail

/// Runs `body` as a task of `loop`, which runs on another thread, with the task-local values of this one; for
/// any thread but the loop's. asyncio's run_coroutine_threadsafe.
///
/// The future gets the value, the error, or the cancel that the task ends with; cancelling it cancels the
/// task, one that has not started never starts. A loop that closes first gives it InvalidState, so nobody
/// waits for ever. The value dies with the last copy of the future, on whatever thread that is, the
/// coroutine's arguments on the loop's thread.
///
/// Requires: `loop` is not closed during the call.
///
///     const int answer = run_coroutine_threadsafe(ask(server), loop).result(2s);
template <class T>
ConcurrentFuture<T> run_coroutine_threadsafe(Co<T> body, Loop& loop,
                                             std::source_location where = std::source_location::current()) {
  auto state = std::make_shared<TypedConcurrentState<T>>(loop);
  detail::ConcurrentPromise<T> promise(state);
  detail::ForeignCo<T> foreign(std::move(body));
  loop.post([&loop, where, context = copy_context(), promise = std::move(promise),
             foreign = std::move(foreign)]() mutable {
    ConcurrentState& shared = promise.state();
    if (shared.cancelled()) return;
    context.run([&] {
      shared.task =
          loop.create_task(detail::relay(std::move(promise), std::move(foreign)), std::string(), where);
    });
  });
  return ConcurrentFuture<T>(std::move(state));
}

}  // namespace gather::async
