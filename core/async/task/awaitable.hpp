/// Handles of what ends once: AnyFuture knows no type, Awaitable<T> gives the value. Task<T> and Future<T>
/// are the two that users make.
#pragma once

#include "core/async/task/cell.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <cassert>
#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::async {

struct Nothing {};

/// What stands for a value of type T where one has to be stored.
template <class T>
using Stored = std::conditional_t<std::is_void_v<T>, Nothing, T>;

/// A task or a future, whatever its value. Null when default-constructed or moved from; all but the test for
/// that require it not to be.
class AnyFuture {
 public:
  AnyFuture() = default;
  explicit AnyFuture(Cell& cell) noexcept : cell_(cell) {}

  explicit operator bool() const noexcept { return static_cast<bool>(cell_); }
  bool done() const noexcept { return cell_->done(); }
  bool cancelled() const noexcept { return cell_->state() == Cell::State::cancelled; }

  /// Asks for its end as cancelled; false if it is done.
  bool cancel() const noexcept { return cell_->cancel(); }

  /// What it failed with, null if it has a value. Throws InvalidState if it is not done, and Cancelled if it
  /// was cancelled. Counts as having retrieved the error.
  std::exception_ptr exception() const {
    check_done();
    if (cancelled()) throw Cancelled{};
    return cell_->error();
  }

  /// False if the callback has been called, or taken out before.
  bool remove_done_callback(CallbackId id) const { return cell_->remove_done_callback(id); }

  Cell& cell() const noexcept { return *cell_; }

  /// The same task or future, not an equal outcome.
  friend bool operator==(const AnyFuture&, const AnyFuture&) = default;

 protected:
  void check_done() const {
    if (!done()) throw InvalidState("the " + cell_->title() + " is not done yet");
  }

 private:
  CellRef<Cell> cell_;
};

/// Waits for a cell to end. Cancelling the waiter cancels what it waits for, and waits on for its end.
class JoinBase : public Op, private DoneHook {
 public:
  bool await_ready() const noexcept { return target_->done(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    assert(static_cast<const Cell*>(frame.promise().task) != target_.get() && "a task can't await itself");
    if (park(frame)) target_->add_hook(*this);
  }

 protected:
  explicit JoinBase(Cell& target) noexcept : target_(target) {}
  ~JoinBase() = default;

  Cell& target() const noexcept { return *target_; }

 private:
  void on_done(Cell&) noexcept override { complete(); }
  Abort abort() noexcept override { return target_->cancel() ? Abort::forwarded : Abort::later; }
  void targets(std::vector<const Cell*>& cells) const override { cells.push_back(target_.get()); }

  CellRef<Cell> target_;
};

/// A task or a future that gives a T.
///
/// Awaiting it waits for its end and gives the value or throws what it ended with, Cancelled if it was
/// cancelled; any number may await it. An lvalue gives a copy of the value, an rvalue the value itself.
/// Cancelling one who awaits it cancels it, as in asyncio; see shield.
template <class T = void>
class Awaitable : public AnyFuture {
 public:
  using Value = T;

  Awaitable() = default;
  explicit Awaitable(Cell& cell) noexcept : AnyFuture(cell) {}

  /// The value; throws what it ended with, or InvalidState if it is not done.
  T result() const& {
    check();
    if constexpr (!std::is_void_v<T>) return stored();
  }
  T result() && {
    check();
    if constexpr (!std::is_void_v<T>) return std::move(stored());
  }

  /// Value or error, without throwing for the error. Throws InvalidState if it is not done.
  Result<T> settled() const {
    check_done();
    if (std::exception_ptr error = cell().error()) return std::unexpected(std::move(error));
    if constexpr (std::is_void_v<T>)
      return {};
    else
      return stored();
  }

  /// Calls `callback()` or `callback(Awaitable<T>)` on the loop in a later pass, once it is done, in the
  /// order of registration, in the context of the caller. What it throws goes to the loop's exception
  /// handler.
  template <class F>
    requires std::invocable<F&> || std::invocable<F&, Awaitable>
  CallbackId add_done_callback(F callback) const {
    return cell().add_done_callback([call = std::move(callback)](Cell* ended) mutable {
      if constexpr (std::invocable<F&, Awaitable>)
        call(Awaitable(*ended));
      else
        call();
    });
  }

  class Join final : public JoinBase {
   public:
    Join(Cell& cell, bool move) noexcept : JoinBase(cell), move_(move) {}
    T await_resume() {
      leave();
      if (auto error = target().error()) std::rethrow_exception(error);
      if constexpr (!std::is_void_v<T>) {
        T& value = **static_cast<std::optional<T>*>(target().value());
        if constexpr (std::is_copy_constructible_v<T>)
          if (!move_) return value;
        return std::move(value);
      }
    }

   private:
    bool move_;
  };
  Join operator co_await() const& noexcept
    requires(std::is_void_v<T> || std::is_copy_constructible_v<T>)
  {
    return Join(cell(), false);
  }
  Join operator co_await() && noexcept { return Join(cell(), true); }

 private:
  void check() const {
    check_done();
    if (auto error = cell().error()) std::rethrow_exception(error);
  }
  Stored<T>& stored() const noexcept { return **static_cast<std::optional<Stored<T>>*>(cell().value()); }
};

}  // namespace gather::async
