/// Future<T>: a result that somebody will set, asyncio's Future.
#pragma once

#include "core/async/task/awaitable.hpp"
#include "core/async/task/sleep.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace gather::async {

template <class T>
class FutureCell final : public Cell {
 public:
  explicit FutureCell(Loop& loop) noexcept : Cell(loop) {}
  ~FutureCell() override { report_unretrieved(); }

  bool cancel() noexcept override {
    if (done()) return false;
    end(State::cancelled, std::make_exception_ptr(Cancelled{}));
    return true;
  }
  void* value() noexcept override { return &value_; }
  std::string title() const override { return "future"; }

  template <class... Arguments>
  void set_value(Arguments&&... arguments) {
    value_.emplace(std::forward<Arguments>(arguments)...);
    end(State::finished, nullptr);
  }
  void set_error(std::exception_ptr error) noexcept { end(State::failed, std::move(error)); }

 private:
  std::optional<Stored<T>> value_;
};

/// A counted reference to a cell that is set once, with a value, an error or a cancel, by whoever makes the
/// promise good. Made by Loop::create_future, and set on the loop's thread (from another one, by post). See
/// Awaitable for how to wait for it; who waits resumes in a later pass.
///
/// An error that nobody has asked for when the last reference goes is reported to the loop's exception
/// handler. The loop must outlive every reference.
template <class T = void>
class Future : public Awaitable<T> {
 public:
  Future() = default;
  explicit Future(FutureCell<T>& cell) noexcept : Awaitable<T>(cell) {}

  /// Each throws InvalidState if the future is done already.
  template <class... Arguments>
  void set_result(Arguments&&... arguments) const {
    check_pending();
    cell().set_value(std::forward<Arguments>(arguments)...);
  }
  void set_exception(std::exception_ptr error) const {
    check_pending();
    cell().set_error(std::move(error));
  }
  template <class E>
    requires std::derived_from<E, std::exception>
  void set_exception(E error) const {
    set_exception(std::make_exception_ptr(std::move(error)));
  }

  /// For late timers and answers: nothing happens if it was cancelled meanwhile.
  template <class... Arguments>
  void set_result_unless_cancelled(Arguments&&... arguments) const {
    if (!this->cancelled()) set_result(std::forward<Arguments>(arguments)...);
  }

  FutureCell<T>& cell() const noexcept { return static_cast<FutureCell<T>&>(AnyFuture::cell()); }

 private:
  void check_pending() const {
    if (this->done()) throw InvalidState("the future has a result already");
  }
};

}  // namespace gather::async
