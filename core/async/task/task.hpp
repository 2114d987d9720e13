/// Task<T>: the handle of a spawned coroutine, asyncio's Task.
#pragma once

#include "core/async/task/cell.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <cassert>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace gather::async {

struct Nothing {};

/// A cell that knows the type of its value.
template <class T>
class TypedCell final : public TaskCell {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, Nothing, T>;

  TypedCell(Loop& loop, Co<T>::Frame root) noexcept : TaskCell(loop, root), frame_(root) {
    frame_.promise().task = this;
  }

  std::optional<Value> value;

 private:
  std::exception_ptr collect() noexcept override {
    if (frame_.promise().error) return std::move(frame_.promise().error);
    if constexpr (std::is_void_v<T>)
      value.emplace();
    else
      value = std::move(frame_.promise().value);
    return nullptr;
  }
  void destroy_root() noexcept override {
    if (frame_) std::exchange(frame_, nullptr).destroy();
  }

  Co<T>::Frame frame_;
};

/// Waits for another task to end. Cancelling the waiter cancels that task and waits on for its end.
class JoinBase : public Op, private DoneHook {
 public:
  bool await_ready() const noexcept { return target_->done(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    assert(frame.promise().task != target_ && "a task can't await itself");
    if (park(frame)) target_->add_hook(*this);
  }

 protected:
  explicit JoinBase(TaskCell& target) noexcept : target_(&target) { target.retain(); }
  ~JoinBase() { target_->release(); }

  TaskCell& target() const noexcept { return *target_; }

 private:
  void on_done(TaskCell&) noexcept override { complete(); }
  Abort abort() noexcept override { return target_->cancel() ? Abort::forwarded : Abort::later; }

  TaskCell* target_;
};

/// A counted reference to a spawned coroutine of result type T. Null when default-constructed or moved from.
///
/// Awaiting it waits for its end and gives the value or throws what it threw, Cancelled if it was cancelled;
/// several may await one task. A copy of the value is given from an lvalue, the value itself from an rvalue.
template <class T = void>
class Task {
 public:
  Task() = default;
  explicit Task(TypedCell<T>& cell) noexcept : cell_(&cell) { cell.retain(); }
  Task(const Task& other) noexcept : cell_(other.cell_) {
    if (cell_ != nullptr) cell_->retain();
  }
  Task(Task&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  Task& operator=(Task other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~Task() {
    if (cell_ != nullptr) cell_->release();
  }

  explicit operator bool() const noexcept { return cell_ != nullptr; }
  bool done() const noexcept { return cell_->done(); }
  bool cancelled() const noexcept { return cell_->state() == TaskCell::State::cancelled; }
  bool cancel() const noexcept { return cell_->cancel(); }
  std::string name() const { return cell_->name(); }
  TaskCell& cell() const noexcept { return *cell_; }

  /// The value; throws what the task threw, or InvalidState if it is not done.
  T result() const& {
    check();
    if constexpr (!std::is_void_v<T>) return *cell_->value;
  }
  T result() && {
    check();
    if constexpr (!std::is_void_v<T>) return std::move(*cell_->value);
  }

  /// Value or error of a task that is done, without throwing for its error.
  Result<T> settled() const {
    if (!done()) throw InvalidState("the task " + name() + " is not done yet");
    if (std::exception_ptr error = cell_->error()) return std::unexpected(std::move(error));
    if constexpr (std::is_void_v<T>)
      return {};
    else
      return *cell_->value;
  }

  class Join final : public JoinBase {
   public:
    Join(TypedCell<T>& cell, bool move) noexcept : JoinBase(cell), move_(move) {}
    T await_resume() {
      this->leave();
      auto& cell = static_cast<TypedCell<T>&>(this->target());
      if (auto error = cell.error()) std::rethrow_exception(error);
      if constexpr (std::is_copy_constructible_v<T>)
        if (!move_) return *cell.value;
      if constexpr (!std::is_void_v<T>) return std::move(*cell.value);
    }

   private:
    bool move_;
  };
  Join operator co_await() const& noexcept
    requires(std::is_void_v<T> || std::is_copy_constructible_v<T>)
  {
    return Join(*cell_, false);
  }
  Join operator co_await() && noexcept { return Join(*cell_, true); }

 private:
  void check() const {
    if (!done()) throw InvalidState("the task " + name() + " is not done yet");
    if (auto error = cell_->error()) std::rethrow_exception(error);
  }

  TypedCell<T>* cell_ = nullptr;
};

}  // namespace gather::async
