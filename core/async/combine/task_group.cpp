#include "core/async/combine/task_group.hpp"

namespace gather::async {

struct TaskGroup::Member final : DoneHook, FrameAllocated {
  Member(TaskGroup& its_group, TaskCell& its_task) : group(its_group), task(its_task) {}
  void on_done(Cell&) noexcept override { group.member_done(*this); }

  TaskGroup& group;
  TaskCell& task;
  Member* previous = nullptr;
  Member* next = nullptr;
};

void TaskGroup::check_open() const {
  if (left_ && size_ == 0) throw InvalidState("the task group has ended");
  if (aborting_) throw InvalidState("the task group is being cancelled");
}

void TaskGroup::enlist(TaskCell& task) {
  auto* const member = new Member(*this, task);
  member->previous = last_;
  (last_ != nullptr ? last_->next : first_) = member;
  last_ = member;
  ++size_;
  task.add_hook(*member);
}

void TaskGroup::member_done(Member& member) noexcept {
  TaskCell& task = member.task;
  (member.previous != nullptr ? member.previous->next : first_) = member.next;
  (member.next != nullptr ? member.next->previous : last_) = member.previous;
  delete &member;
  if (--size_ == 0) empty_.set();
  if (task.state() != TaskCell::State::failed) return;
  errors_.push_back({task.name(), task.error()});
  if (aborting_ || parent_cancel_requested_) return;
  abort();
  parent_cancel_requested_ = parent_.cancel();  // Wakes the body, or leave().
}

void TaskGroup::abort() noexcept {
  aborting_ = true;
  for (Member* member = first_; member != nullptr; member = member->next)
    member->task.cancel();  // Only enqueues.
}

// Follows TaskGroup._aexit of CPython 3.13 (Lib/asyncio/taskgroups.py) step by step.
Co<void> TaskGroup::leave(std::exception_ptr body_error) {
  left_ = true;
  const bool body_cancelled = body_error && is_cancelled(body_error);
  bool owes_cancel = body_cancelled;
  if (body_error && !aborting_) abort();
  while (size_ > 0) {
    empty_.clear();
    try {
      co_await empty_.wait();
    } catch (const Cancelled&) {
      if (!aborting_) {
        owes_cancel = true;
        abort();
      }
    }
  }
  // The group's own cancel of the parent is always undone; if no other is left, there is none to pass on.
  if (parent_cancel_requested_ && parent_.uncancel() == 0) owes_cancel = false;
  if (owes_cancel && errors_.empty() && (!body_error || body_cancelled)) throw Cancelled{};
  if (body_error && !body_cancelled) errors_.push_back({"body", body_error});
  if (errors_.empty()) co_return;
  if (parent_.cancelling() > 0) {  // Keeps the count, and makes the cancel due again at the next await.
    parent_.uncancel();
    parent_.cancel();
  }
  throw ErrorGroup(std::move(errors_));
}

}  // namespace gather::async
