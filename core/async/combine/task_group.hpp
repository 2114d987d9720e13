/// TaskGroup: tasks that end together. Leaving the group waits for all; one that fails cancels the others.
#pragma once

#include "core/async/combine/body.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/sync/event.hpp"
#include "core/async/task/error.hpp"

#include <cstddef>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace gather::async {

/// Made by task_group, which gives it to the body. The rules are those of CPython's asyncio.TaskGroup.
class TaskGroup {
 public:
  explicit TaskGroup(TaskCell& parent) noexcept;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  /// Starts `body` as a task of the group. Throws InvalidState, and destroys `body` unrun, when the group is
  /// being torn down or has ended.
  template <class T>
  Task<T> create_task(Co<T> body, std::string_view name = {},
                      std::source_location where = std::source_location::current()) {
    if (!open()) {
      std::move(body).close();
      throw InvalidState("this task group takes no more tasks: it has ended, or is being cancelled");
    }
    Task<T> task = parent_.loop().create_task(std::move(body), name, where);
    enlist(task.cell());
    return task;
  }

  /// The same; trio's and this library's word for it.
  template <class T>
  Task<T> spawn(Co<T> body, std::string_view name = {},
                std::source_location where = std::source_location::current()) {
    return create_task(std::move(body), name, where);
  }

  /// Ends the group early and quietly: cancels its tasks and, if that still runs, its body; task_group then
  /// returns without an error of its own. A cancel that comes from elsewhere meanwhile still leaves as
  /// Cancelled, and errors as an ErrorGroup. May be called by anyone on the loop, repeatedly; no-op once the
  /// group has ended.
  void cancel() noexcept;

  /// How many of its tasks have not ended.
  std::size_t size() const noexcept { return size_; }

  /// How the body ended: returned (null), or threw this. Then waits for all members and throws what the group
  /// owes.
  Co<void> leave(std::exception_ptr body_error);

 private:
  struct Member;

  bool open() const noexcept { return !aborting_ && !(left_ && size_ == 0); }
  void enlist(TaskCell& task);
  void member_done(Member& member) noexcept;
  void abort() noexcept;
  void cancel_parent() noexcept;
  void note_error(std::string name, std::exception_ptr error);
  bool undo_own_request() noexcept;

  TaskCell& parent_;
  Member* first_ = nullptr;  // The unfinished members, in the order in which they were made.
  Member* last_ = nullptr;
  std::size_t size_ = 0;
  std::vector<ErrorGroup::Member> errors_;
  std::exception_ptr interrupt_;  // An Interrupted, which overrides the errors.
  Event empty_;
  int requests_on_entry_;
  bool aborting_ = false;
  bool left_ = false;  // The body has ended.
  bool parent_cancel_requested_ = false;
};

/// Runs `body(group)`, then waits until every task of the group is done, also those started meanwhile.
///
/// Gives the body's value. If a task or the body fails, all the others are cancelled and awaited, and the
/// errors leave as one ErrorGroup. A cancel of the caller cancels the members, waits for them, and leaves as
/// Cancelled, or as the ErrorGroup with the cancel still due if members failed meanwhile. A member that is
/// cancelled on its own is no failure. `body` is a callable `Co<T>(TaskGroup&)`; the group dies with the
/// call.
///
/// An Interrupted (runner.hpp) that a member or the body ends with leaves alone, and the errors it overrides
/// go to the loop's exception handler. Where TaskGroup::cancel() has cut off a body that was to give a value,
/// there is none, and InvalidState is thrown.
template <class Body>
Co<BodyValue<Body, TaskGroup&>> task_group(Body body) {
  TaskGroup group(co_await this_task());
  auto result = co_await settle(body, group);
  co_await group.leave(error_of(result));
  if constexpr (!std::is_void_v<BodyValue<Body, TaskGroup&>>) {
    if (!result) throw InvalidState("the task group was cancelled before its body had a value to give");
    co_return std::move(*result);
  }
}

}  // namespace gather::async
