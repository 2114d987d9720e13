/// Waiting for a moment, for the next pass, or for somebody to set a result: sleep, yield, Future<T>.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/async/sync/waiters.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace gather::async {

/// See sleep.
class Sleep final : public Op, private Timer {
 public:
  explicit Sleep(Duration length) noexcept : length_(length) {}

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  void await_resume() { leave(); }

 private:
  void begin();
  void on_time() noexcept override { complete(); }
  Abort abort() noexcept override;

  Duration length_;
};

/// Resumes the caller once `length` has passed, never early; a length of 0 or less is exactly one trip
/// through the ready queue. Allocates nothing. Cancelling the caller takes the timer out at once.
inline Sleep sleep(Duration length) noexcept { return Sleep(length); }

/// Lets everything else that is ready run first.
inline Sleep yield() noexcept { return Sleep(Duration(0)); }

/// A cell that is set once, with a value, an error or a cancel, by whoever makes the promise good; any number
/// may await it. It must outlive those who await it. Awaiters resume in a later pass; cancelling one of them
/// leaves the future as it is (ours: asyncio cancels the future, which then fails its other awaiters too).
template <class T = void>
class Future {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Nothing, T>;

  bool done() const noexcept { return value_ || error_; }

  /// Each throws InvalidState if the future is done already.
  template <class... Arguments>
  void set_result(Arguments&&... arguments) {
    check_pending();
    value_.emplace(std::forward<Arguments>(arguments)...);
    waiters_.complete_all();
  }
  void set_exception(std::exception_ptr error) {
    check_pending();
    error_ = std::move(error);
    waiters_.complete_all();
  }

  /// Ends it as cancelled, so that awaiters get Cancelled. False if it was done already.
  bool cancel() {
    if (done()) return false;
    error_ = std::make_exception_ptr(Cancelled{});
    waiters_.complete_all();
    return true;
  }

  /// The value; throws the error, or InvalidState while there is neither.
  const Value& result() const {
    if (error_) std::rethrow_exception(error_);
    if (!value_) throw InvalidState("the future has no result yet");
    return *value_;
  }

  class Get final : public WaitOp {
   public:
    explicit Get(Future& future) noexcept : WaitOp(future.waiters_), future_(future) {}
    bool await_ready() const noexcept { return future_.done(); }
    T await_resume() {
      leave();
      if constexpr (std::is_void_v<T>)
        future_.result();
      else
        return future_.result();
    }

   private:
    Future& future_;
  };
  Get operator co_await() noexcept { return Get(*this); }

 private:
  void check_pending() const {
    if (done()) throw InvalidState("the future has a result already");
  }

  std::optional<Value> value_;
  std::exception_ptr error_;
  WaitQueue waiters_;
};

}  // namespace gather::async
