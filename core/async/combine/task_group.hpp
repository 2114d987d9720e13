/// TaskGroup: tasks that end together. Leaving the group waits for all; one that fails cancels the others.
#pragma once

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/sync/event.hpp"
#include "core/async/task/error.hpp"

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::async {

/// Made by task_group, which gives it to the body. See CPython's asyncio.TaskGroup for the rules, and the
/// notes in the tests (N1 to N8) for each.
class TaskGroup {
 public:
  explicit TaskGroup(TaskCell& parent) noexcept : parent_(parent) {}
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `body` as a task of the group. Throws InvalidState, and destroys `body` unrun, when the group is
  /// being torn down or has ended.
  template <class T>
  Task<T> spawn(Co<T> body, std::string name = {}) {
    check_open();
    Task<T> task = parent_.loop().create_task(std::move(body), std::move(name));
    enlist(task.cell());
    return task;
  }

  std::size_t size() const noexcept { return size_; }

  /// How the body ended: returned (null), or threw this. Then waits for all members and throws what the group
  /// owes.
  Co<void> leave(std::exception_ptr body_error);

 private:
  struct Member;

  void check_open() const;
  void enlist(TaskCell& task);
  void member_done(Member& member) noexcept;
  void abort() noexcept;

  TaskCell& parent_;
  Member* first_ = nullptr;  // The unfinished members, in the order in which they were spawned.
  Member* last_ = nullptr;
  std::size_t size_ = 0;
  std::vector<ErrorGroup::Member> errors_;
  Event empty_;
  bool aborting_ = false;
  bool left_ = false;
  bool parent_cancel_requested_ = false;
};

/// Runs `body(group)`, then waits until every task of the group is done, also those started meanwhile.
///
/// Gives the body's value. If a task or the body fails, all the others are cancelled and awaited, and the
/// errors leave as one ErrorGroup. A cancel of the caller cancels the members, waits for them, and leaves as
/// Cancelled, or as the ErrorGroup with the cancel still due if members failed meanwhile. A member that is
/// cancelled on its own is no failure. `body` is a callable `Co<T>(TaskGroup&)`; the group dies with the
/// call.
template <class Body>
Co<BodyValue<Body, TaskGroup&>> task_group(Body body) {
  using Value = BodyValue<Body, TaskGroup&>;
  TaskGroup group(co_await this_task());
  std::exception_ptr error;
  if constexpr (std::is_void_v<Value>) {
    try {
      co_await body(group);
    } catch (...) {
      error = std::current_exception();
    }
    co_await group.leave(error);
  } else {
    std::optional<Value> value;
    try {
      value.emplace(co_await body(group));
    } catch (...) {
      error = std::current_exception();
    }
    co_await group.leave(error);
    co_return std::move(*value);
  }
}

}  // namespace gather::async
