/// ConcurrentFuture: the result of a coroutine on a loop, for a thread that waits; concurrent.futures.Future.
#pragma once

#include "core/async/task/awaitable.hpp"
#include "core/async/task/task.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::async {

/// What a ConcurrentFuture and the loop share: all but the value. It ends once, by whichever side is first.
class ConcurrentState {
 public:
  using Clock = std::chrono::steady_clock;
  using Callback = std::move_only_function<void()>;

  explicit ConcurrentState(Loop& loop) noexcept : loop_(loop) {}
  ConcurrentState(const ConcurrentState&) = delete;
  ConcurrentState& operator=(const ConcurrentState&) = delete;

  // For the thread's side.
  bool done() const;
  bool cancelled() const;
  bool cancel(const std::shared_ptr<ConcurrentState>& self);
  /// Waits for the end; gives the error, null if there is a value. Throws TimeoutError and, for the loop's
  /// own thread, InvalidState.
  std::exception_ptr wait(std::optional<Clock::duration> timeout);
  void add_done_callback(Callback callback);

  // For the loop's side.
  /// With a null `error` there is a value, which `keep` stores. False if it was cancelled before.
  template <class Keep>
  bool end(std::exception_ptr error, Keep keep) {
    std::unique_lock lock(mutex_);
    if (state_ != Cell::State::pending) return false;
    if (!error) keep();
    finish(lock, std::move(error));
    return true;
  }
  /// Set, used and cleared on the loop's thread alone.
  AnyTask task;

 protected:
  ~ConcurrentState() = default;

 private:
  void finish(std::unique_lock<std::mutex>& lock, std::exception_ptr error);

  Loop& loop_;  // Closes no earlier than this ends.
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  Cell::State state_ = Cell::State::pending;
  std::exception_ptr error_;
  std::vector<Callback> callbacks_;
};

template <class T>
class TypedConcurrentState final : public ConcurrentState {
 public:
  using ConcurrentState::ConcurrentState;
  std::optional<Stored<T>> value;  // Set once, before the end.
};

/// A reference to the outcome of a coroutine that runs on the loop of another thread; see
/// run_coroutine_threadsafe. Copies share it. Any thread may call any member; null when default-constructed
/// or moved from, and then only the test for that is allowed.
template <class T = void>
class ConcurrentFuture {
 public:
  ConcurrentFuture() = default;
  explicit ConcurrentFuture(std::shared_ptr<TypedConcurrentState<T>> state) noexcept
      : state_(std::move(state)) {}

  explicit operator bool() const noexcept { return state_ != nullptr; }
  bool done() const { return state_->done(); }
  bool cancelled() const { return state_->cancelled(); }

  /// Stands until the coroutine has ended, and gives its value or throws what it threw; Cancelled if it or
  /// this was cancelled, InvalidState if its loop closed before it could end. An rvalue gives the value
  /// itself.
  ///
  /// Throws TimeoutError if that takes longer than `timeout`. The coroutine then runs on, as in Python: who
  /// wants it to end calls cancel(). Throws InvalidState on the loop's own thread, which would wait for
  /// itself.
  T result(std::optional<std::chrono::nanoseconds> timeout = {}) const& {
    if (auto error = state_->wait(timeout)) std::rethrow_exception(std::move(error));
    if constexpr (!std::is_void_v<T>) return *state_->value;
  }
  T result(std::optional<std::chrono::nanoseconds> timeout = {}) && {
    if (auto error = state_->wait(timeout)) std::rethrow_exception(std::move(error));
    if constexpr (!std::is_void_v<T>) return *std::move(state_->value);
  }

  /// The same for the error; null if there is a value. Throws Cancelled if it was cancelled.
  std::exception_ptr exception(std::optional<std::chrono::nanoseconds> timeout = {}) const {
    auto error = state_->wait(timeout);
    if (cancelled()) throw Cancelled{};
    return error;
  }

  /// Ends it as cancelled, at once for who waits here, and cancels the task on the loop, whose outcome is
  /// dropped then. False if it has ended otherwise.
  bool cancel() const { return state_->cancel(state_); }

  /// Calls `callback()` or `callback(ConcurrentFuture)` once it has ended, on the thread that ends it (the
  /// loop's, or who cancels), or at once if it has. What it throws ends the process.
  template <class F>
    requires std::invocable<F&> || std::invocable<F&, ConcurrentFuture>
  void add_done_callback(F callback) const {
    state_->add_done_callback([call = std::move(callback), self = *this]() mutable {
      if constexpr (std::invocable<F&, ConcurrentFuture>)
        call(std::move(self));
      else
        call();
    });
  }

 private:
  std::shared_ptr<TypedConcurrentState<T>> state_;
};

}  // namespace gather::async
