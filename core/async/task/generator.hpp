/// AsyncGenerator<T>: a coroutine that gives many values, one for each time it is asked; and for_each over
/// it.
#pragma once

#include "core/async/task/awaitable.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/error.hpp"

#include <cassert>
#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

namespace gather::async {

/// Thrown at the yield at which a generator is parked when it is closed. May be caught to clean up, but the
/// generator must not yield any more. Not a std::exception, like Cancelled.
struct GeneratorExit {};

template <class T, class Sent = void>
class AsyncGenerator;

/// What a generator knows beside what every coroutine does: whether it runs, and what it is resumed with.
class GeneratorPromiseBase : public CoPromiseBase {
 public:
  bool started = false;
  bool running = false;  ///< From a step's start to its yield or end, also while it is parked in an await.
  bool ended = false;
  std::exception_ptr thrown_in;  ///< To be thrown at the yield, by athrow() and aclose().

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
      frame.promise().running = false;
      frame.promise().ended = true;
      return frame.promise().next();
    }
    void await_resume() const noexcept {}
  };
  Final final_suspend() noexcept { return {}; }

  void return_void() noexcept {}

  /// Throws InvalidState if a step is under way, which belongs to somebody else or to itself.
  void check_not_running() const;
  /// What its end has thrown, once.
  void throw_error();
  /// For debug mode: it dies at a yield, so that cleanup which awaits was not run.
  void report_left_open() const noexcept;

  static std::exception_ptr make_exit();
  /// Swallows the GeneratorExit with which it ended, throws other errors, and InvalidState if it has yielded.
  void finish_close();
};

template <class T, class Sent>
class GeneratorPromise : public GeneratorPromiseBase {
 public:
  AsyncGenerator<T, Sent> get_return_object(
      std::source_location place = std::source_location::current()) noexcept;

  class Yield {
   public:
    explicit Yield(GeneratorPromise& promise) noexcept : promise_(promise) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<GeneratorPromise>) const noexcept {
      promise_.running = false;
      return promise_.next();
    }
    auto await_resume() {
      if (promise_.thrown_in) std::rethrow_exception(std::exchange(promise_.thrown_in, nullptr));
      if constexpr (!std::is_void_v<Sent>) return std::exchange(promise_.sent, std::nullopt);
    }

   private:
    GeneratorPromise& promise_;
  };

  template <class U = T>
    requires std::is_convertible_v<U&&, T>
  Yield yield_value(U&& item) {
    value.emplace(std::forward<U>(item));
    return Yield(*this);
  }

  struct Nowhere {};
  std::optional<T> value;
  [[no_unique_address]] std::conditional_t<std::is_void_v<Sent>, Nowhere, std::optional<Sent>> sent;
};

/// A lazy sequence: it runs while it is asked for its next value, in the task of whoever asks, by symmetric
/// transfer, and stands at its `co_yield` in between. Owns the frame; can be moved, not copied.
///
///     AsyncGenerator<Line> lines(Reader& reader) {
///       while (auto line = co_await reader.readline()) co_yield *line;
///     }
///     while (auto line = co_await all.next()) …
///
/// A cancel arrives at the await at which the generator is parked, leaves it like any other exception, and
/// ends it. Its steps follow one another: asking for one while another is under way throws InvalidState.
///
/// Destroying it ends it where it stands, a yield: its locals are destroyed, and that is all; cleanup that
/// awaits needs aclose(), as for_each and aclosing (combine/cleanup.hpp) call it on every way out, and debug
/// mode reports what was left open. It must not be destroyed during a step. So it dies with its owner, and
/// there is no shutdown_asyncgens: asyncio needs that for generators which nobody owns any more.
///
/// With a type for `Sent`, `co_yield` gives a `std::optional<Sent>`: what asend() passed in, or nothing where
/// next() resumed it.
template <class T, class Sent>
class [[nodiscard]] AsyncGenerator {
  static_assert(std::is_object_v<T>,
                "a generator gives values, or std::reference_wrapper or pointers to them");

 public:
  using promise_type = GeneratorPromise<T, Sent>;
  using Frame = std::coroutine_handle<promise_type>;
  using Item = T;

  AsyncGenerator(AsyncGenerator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
    AsyncGenerator moved(std::move(other));
    std::swap(frame_, moved.frame_);
    return *this;
  }
  ~AsyncGenerator() {
    if (!frame_) return;
    assert(!frame_.promise().running && "a generator was destroyed during one of its steps");
    if (frame_.promise().started && !frame_.promise().ended) frame_.promise().report_left_open();
    frame_.destroy();
  }

  /// Whether it has ended, by itself, by an error, or closed.
  bool done() const noexcept { return frame_.promise().ended; }

  class Step {
   public:
    bool await_ready() {
      promise_.check_not_running();
      return promise_.ended;
    }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      static_assert(has_plain_layout<Promise> && has_plain_layout<promise_type>);
      promise_.task = awaiting.promise().task;
      promise_.awaiter = &awaiting.promise();
      promise_.started = true;
      promise_.running = true;
      return Frame::from_promise(promise_);
    }
    std::optional<T> await_resume() {
      promise_.throw_error();
      return std::exchange(promise_.value, std::nullopt);
    }

   protected:
    friend class AsyncGenerator;
    explicit Step(promise_type& promise) noexcept : promise_(promise) {}

    promise_type& promise_;
  };

  /// Runs it up to its next yield and gives the value; nothing once it has ended. Throws what it throws.
  Step next() noexcept { return Step(frame_.promise()); }

  class SendStep final : public Step {
   public:
    bool await_ready() {
      this->promise_.check_not_running();
      if (this->promise_.ended) return true;
      if (!this->promise_.started)
        throw InvalidState("a generator that has not started can't be sent a value");
      this->promise_.sent = std::move(value_);
      return false;
    }

   private:
    friend class AsyncGenerator;
    SendStep(promise_type& promise, Stored<Sent> value) : Step(promise), value_(std::move(value)) {}

    Stored<Sent> value_;
  };

  /// The same, and `value` is what the yield gives at which it stands. Throws InvalidState where it has not
  /// been started, for there is no yield yet.
  SendStep asend(Stored<Sent> value)
    requires(!std::is_void_v<Sent>)
  {
    return SendStep(frame_.promise(), std::move(value));
  }

  class ThrowStep : public Step {
   public:
    bool await_ready() {
      this->promise_.check_not_running();
      if (this->promise_.ended) return true;
      if (!this->promise_.started) {  // There is no yield to throw at: it ends without having run.
        this->promise_.ended = true;
        this->promise_.error = std::move(error_);
        return true;
      }
      this->promise_.thrown_in = std::move(error_);
      return false;
    }

   protected:
    friend class AsyncGenerator;
    ThrowStep(promise_type& promise, std::exception_ptr error) noexcept
        : Step(promise), error_(std::move(error)) {}

   private:
    std::exception_ptr error_;
  };

  /// Throws `error` at the yield at which it stands, and gives the value that it yields next; nothing if it
  /// ends instead or has ended before. What it does not catch comes out.
  ThrowStep athrow(std::exception_ptr error) noexcept {
    return ThrowStep(frame_.promise(), std::move(error));
  }
  template <class E>
    requires std::derived_from<E, std::exception>
  ThrowStep athrow(E error) noexcept {
    return athrow(std::make_exception_ptr(std::move(error)));
  }

  class CloseStep final : public ThrowStep {
   public:
    void await_resume() {
      this->promise_.value.reset();
      this->promise_.finish_close();
    }

   private:
    friend class AsyncGenerator;
    using ThrowStep::ThrowStep;
  };

  /// Ends it: throws GeneratorExit at the yield at which it stands, and waits until it has cleaned up. No-op
  /// if it has ended; one that was never started ends without running. Throws what its cleanup throws, and
  /// InvalidState if it yields again.
  CloseStep aclose() noexcept { return CloseStep(frame_.promise(), promise_type::make_exit()); }

 private:
  friend promise_type;
  explicit AsyncGenerator(Frame frame) noexcept : frame_(frame) {}

  Frame frame_;
};

template <class T, class Sent>
AsyncGenerator<T, Sent> GeneratorPromise<T, Sent>::get_return_object(std::source_location place) noexcept {
  where = place;
  return AsyncGenerator<T, Sent>(std::coroutine_handle<GeneratorPromise>::from_promise(*this));
}

/// Calls `body(item)` for each item, and awaits what it gives if that is a Co; `async for`. A body that gives
/// `bool`, or `Co<bool>`, ends the loop with false: that is its `break`.
///
/// The generator is closed on every way out, so that its cleanup has been awaited when this returns or
/// throws.
template <class T, class Sent, class Body>
Co<> for_each(AsyncGenerator<T, Sent> generator, Body body) {
  std::exception_ptr error;
  try {
    while (std::optional<T> item = co_await generator.next()) {
      using Given = std::invoke_result_t<Body&, T&&>;
      if constexpr (std::is_same_v<Given, bool>) {
        if (!body(std::move(*item))) break;
      } else if constexpr (std::is_same_v<Given, Co<bool>>) {
        if (!co_await body(std::move(*item))) break;
      } else if constexpr (std::is_same_v<Given, Co<>>) {
        co_await body(std::move(*item));
      } else {
        body(std::move(*item));
      }
    }
  } catch (...) {
    error = std::current_exception();
  }
  co_await generator.aclose();
  if (error) std::rethrow_exception(error);
}

}  // namespace gather::async
