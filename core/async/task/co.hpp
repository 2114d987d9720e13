/// Co<T>: a lazy coroutine. It runs while it is awaited, in the task of whoever awaits it.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#error "g++ below 13 destroys temporaries around co_await twice, in silence: use g++ 13 or clang 19"
#endif

#include "core/async/task/frame.hpp"
#include "core/async/task/task_cell.hpp"

#include <cassert>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace gather::async {

template <class T = void>
class Co;

/// What every coroutine frame knows: the task it runs in, who continues after it, where it stands, and what
/// it threw. The first base of every promise type, so that a frame can be found from it.
class CoPromiseBase : public FrameAllocated {
 public:
  TaskCell* task = nullptr;          ///< Null until the coroutine is awaited or spawned.
  CoPromiseBase* awaiter = nullptr;  ///< The frame that continues after it; null for a task's root.
  std::exception_ptr error;
  std::source_location where;  ///< Its last co_await; before the first, the beginning of the function.

  std::suspend_always initial_suspend() noexcept { return {}; }

  // Symmetric transfer to the awaiting frame: a chain of any length uses one stack frame. A task's root
  // returns to TaskCell::run.
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
      return frame.promise().next();
    }
    void await_resume() const noexcept {}
  };
  Final final_suspend() noexcept { return {}; }

  void unhandled_exception() noexcept { error = std::current_exception(); }

  /// Notes where the coroutine stands, for dumps; changes nothing.
  template <class Awaited>
  Awaited&& await_transform(Awaited&& awaited,
                            std::source_location place = std::source_location::current()) noexcept {
    where = place;
    return std::forward<Awaited>(awaited);
  }

  std::coroutine_handle<> frame() noexcept {
    return std::coroutine_handle<CoPromiseBase>::from_promise(*this);
  }

  /// Who runs when this coroutine has ended.
  std::coroutine_handle<> next() noexcept {
    if (awaiter != nullptr) return awaiter->frame();
    task->root_ended_ = true;
    task->resume_at_ = this;
    return std::noop_coroutine();
  }

  /// For debug mode: the frame dies and has never run.
  void report_never_awaited() const noexcept;
};

// frame() finds the frame from its first base, which needs all promises to have the same distance from it.
template <class Promise>
inline constexpr bool has_plain_layout =
    alignof(Promise) <= 2 * sizeof(void*) && std::derived_from<Promise, CoPromiseBase>;

template <class T>
class CoPromise : public CoPromiseBase {
 public:
  Co<T> get_return_object(std::source_location place = std::source_location::current()) noexcept;

  template <class U>
    requires std::is_convertible_v<U&&, T>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }

  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }

  std::optional<T> value;
};

template <>
class CoPromise<void> : public CoPromiseBase {
 public:
  Co<void> get_return_object(std::source_location place = std::source_location::current()) noexcept;
  void return_void() noexcept {}
  void take() {
    if (error) std::rethrow_exception(error);
  }
};

/// A coroutine that has not run yet, and its result when it has. Owns the frame; can be moved, not copied.
///
/// `co_await f(x)` runs it at once in the awaiting task, by symmetric transfer, and gives its value or throws
/// what it threw. A Co is awaited in the expression that makes it, or handed to Loop::create_task or
/// TaskGroup::create_task, which move it into a task of its own. Destroying it unawaited destroys its
/// arguments and runs nothing; debug mode reports it, as it is a forgotten co_await as a rule.
///
/// Reference parameters are safe when it is awaited where it is made; a spawned one gets values, or what its
/// group's owner keeps alive. A coroutine lambda captures nothing that it owns: the closure dies first.
template <class T>
class [[nodiscard]] Co {
 public:
  using promise_type = CoPromise<T>;
  using Frame = std::coroutine_handle<promise_type>;

  Co(Co&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Co& operator=(Co&& other) noexcept {
    Co moved(std::move(other));
    std::swap(frame_, moved.frame_);
    return *this;
  }
  ~Co() {
    if (!frame_) return;
    if (frame_.promise().task == nullptr) frame_.promise().report_never_awaited();
    frame_.destroy();
  }

  class Awaiter {
   public:
    explicit Awaiter(Frame frame) noexcept : frame_(frame) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      static_assert(has_plain_layout<Promise> && has_plain_layout<promise_type>);
      frame_.promise().task = awaiting.promise().task;
      frame_.promise().awaiter = &awaiting.promise();
      return frame_;
    }
    T await_resume() { return frame_.promise().take(); }

   private:
    Frame frame_;
  };

  /// Whether it can be awaited: neither moved from nor handed to a task.
  explicit operator bool() const noexcept { return frame_ && frame_.promise().task == nullptr; }

  /// Requires: not moved from and not awaited before.
  Awaiter operator co_await() && noexcept {
    assert(frame_ && "this coroutine was moved away");
    assert(frame_.promise().task == nullptr && "a coroutine can be awaited once");
    return Awaiter(frame_);
  }

  /// Gives up the frame; for the loop, which makes a task of it.
  Frame release() && noexcept { return std::exchange(frame_, nullptr); }

  /// Destroys it, on purpose unrun: arguments die, and nothing is reported.
  void close() && noexcept {
    if (frame_) std::exchange(frame_, nullptr).destroy();
  }

 private:
  friend promise_type;
  explicit Co(Frame frame) noexcept : frame_(frame) {}

  Frame frame_;
};

namespace detail {
template <class C>
struct CoValueOf;
template <class T>
struct CoValueOf<Co<T>> {
  using Type = T;
};
}  // namespace detail

/// T of a Co<T>.
template <class C>
using CoValue = detail::CoValueOf<C>::Type;

template <class T>
Co<T> CoPromise<T>::get_return_object(std::source_location place) noexcept {
  where = place;
  return Co<T>(std::coroutine_handle<CoPromise>::from_promise(*this));
}

inline Co<void> CoPromise<void>::get_return_object(std::source_location place) noexcept {
  where = place;
  return Co<void>(std::coroutine_handle<CoPromise>::from_promise(*this));
}

}  // namespace gather::async
