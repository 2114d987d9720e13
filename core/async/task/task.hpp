/// Task<T>: the handle of a spawned coroutine, asyncio's Task.
#pragma once

#include "core/async/task/awaitable.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/task_cell.hpp"

#include <exception>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace gather::async {

/// A cell that knows the type of its coroutine's value.
template <class T>
class TypedCell final : public TaskCell {
 public:
  TypedCell(Loop& loop, Co<T>::Frame frame) noexcept : TaskCell(loop, frame.promise()) {}

 private:
  void* value() noexcept override { return &value_; }
  std::exception_ptr collect() noexcept override {
    auto& promise = static_cast<Co<T>::promise_type&>(root());
    if (promise.error) return std::move(promise.error);
    if constexpr (std::is_void_v<T>)
      value_.emplace();
    else
      value_ = std::move(promise.value);
    return nullptr;
  }
  void destroy_root() noexcept override { root().frame().destroy(); }

  std::optional<Stored<T>> value_;
};

/// What a handle of a task can do beside waiting for it.
class TaskMembers {
 public:
  std::string name(this const auto& self) { return self.cell().name(); }
  void set_name(this const auto& self, std::string name) { self.cell().set_name(std::move(name)); }
  /// How many cancels were asked for and not taken back.
  int cancelling(this const auto& self) noexcept { return self.cell().cancelling(); }
  /// Takes one back and gives how many are left.
  int uncancel(this const auto& self) noexcept { return self.cell().uncancel(); }
};

/// A counted reference to a spawned coroutine of result type T; see Awaitable for how to wait for it.
/// Dropping it neither cancels the task nor loses it: the loop owns it until it has ended.
template <class T = void>
class Task : public Awaitable<T>, public TaskMembers {
 public:
  Task() = default;
  explicit Task(TypedCell<T>& cell) noexcept : Awaitable<T>(cell) {}

  TaskCell& cell() const noexcept { return static_cast<TaskCell&>(AnyFuture::cell()); }
};

/// A task, whatever its value.
class AnyTask : public AnyFuture, public TaskMembers {
 public:
  AnyTask() = default;
  explicit AnyTask(TaskCell& cell) noexcept : AnyFuture(cell) {}
  template <class T>
  AnyTask(const Task<T>& task) noexcept : AnyFuture(task.cell()) {}

  TaskCell& cell() const noexcept { return static_cast<TaskCell&>(AnyFuture::cell()); }
};

}  // namespace gather::async
