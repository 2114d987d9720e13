/// blocking: a short call that blocks, on the default pool, with the caller's own memory.
#pragma once

#include "core/async/task/op.hpp"
#include "core/async/thread/pool.hpp"

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace gather::async {

/// The part of Blocking that knows no function.
class BlockingOp : public Op, private Pool::Job {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }

 protected:
  /// Null: the default pool.
  explicit BlockingOp(Pool* pool) noexcept : chosen_(pool) {}
  ~BlockingOp() = default;

  /// leave(), and throws what the call threw, or why it could not begin.
  void finish() {
    leave();
    if (error_) std::rethrow_exception(std::move(error_));
  }

 private:
  virtual void call() = 0;

  void begin() noexcept;
  void run() noexcept final;
  Abort abort() noexcept final { return withdraw() ? Abort::detached : Abort::later; }

  Pool* const chosen_;
  std::exception_ptr error_;
};

/// See blocking.
template <class F>
class Blocking final : public BlockingOp {
 public:
  using Result = std::invoke_result_t<F&>;

  explicit Blocking(F function, Pool* pool = nullptr) : BlockingOp(pool), function_(std::move(function)) {}

  Result await_resume() {
    finish();
    if constexpr (!std::is_void_v<Result>) return std::move(*result_);
  }

 private:
  void call() override {
    if constexpr (std::is_void_v<Result>)
      function_();
    else
      result_.emplace(function_());
  }

  struct NoResult {};
  F function_;
  std::optional<std::conditional_t<std::is_void_v<Result>, NoResult, Result>> result_;
};

/// Calls `function()` on a thread of the running loop's default pool and gives what it returns or throws.
/// Allocates nothing.
///
/// Unlike to_thread it never lets go of a call: a cancelled caller is told at once if no thread has begun it,
/// else when it has ended. So `function` may work in the caller's memory, and after a cancel nothing of it is
/// still to come. For system calls that end by themselves. Throws what default_pool throws.
template <class F>
Blocking<F> blocking(F function) {
  return Blocking<F>(std::move(function));
}

/// The same on a thread of `pool`, which outlives the call. Throws what Pool::submit throws.
template <class F>
Blocking<F> blocking(Pool& pool, F function) {
  return Blocking<F>(std::move(function), &pool);
}

}  // namespace gather::async
