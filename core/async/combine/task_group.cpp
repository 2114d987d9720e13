#include "core/async/combine/task_group.hpp"

#include "core/async/loop/runner.hpp"

namespace gather::async {
namespace {

bool is_interrupt(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Interrupted&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct TaskGroup::Member final : DoneHook, FrameAllocated {
  Member(TaskGroup& its_group, TaskCell& its_task) : group(its_group), task(its_task) {}
  void on_done(Cell&) noexcept override { group.member_done(*this); }

  TaskGroup& group;
  TaskCell& task;
  Member* previous = nullptr;
  Member* next = nullptr;
};

// A request that was there on entry and told already is the body's own affair; one not yet told is foreign.
TaskGroup::TaskGroup(TaskCell& parent) noexcept
    : parent_(parent), requests_on_entry_(parent.cancelling() - (parent.cancel_pending() ? 1 : 0)) {}

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
  note_error(task.name(), task.error());
  if (aborting_ || parent_cancel_requested_) return;
  abort();
  cancel_parent();  // Wakes the body, or leave().
}

void TaskGroup::note_error(std::string name, std::exception_ptr error) {
  if (!interrupt_ && is_interrupt(error))
    interrupt_ = std::move(error);
  else
    errors_.push_back({std::move(name), std::move(error)});
}

void TaskGroup::abort() noexcept {
  aborting_ = true;
  for (Member* member = first_; member != nullptr; member = member->next)
    member->task.cancel();  // Only enqueues.
}

void TaskGroup::cancel_parent() noexcept {
  if (!parent_cancel_requested_) parent_cancel_requested_ = parent_.cancel();
}

void TaskGroup::cancel() noexcept {
  if (!open()) return;
  abort();
  if (!left_) cancel_parent();
}

// Whether other requests are left that came since the group began.
bool TaskGroup::undo_own_request() noexcept {
  if (parent_cancel_requested_) parent_.uncancel();
  parent_cancel_requested_ = false;
  return parent_.cancelling() > requests_on_entry_;
}

// Follows TaskGroup._aexit of CPython 3.13 (Lib/asyncio/taskgroups.py), but for two things. The group's own
// request is taken back whatever happens, also under an interrupt. And a foreign request is one above the
// count on entry, where CPython takes any: one that the body has long dealt with must not come back, and with
// cancel() there are groups without an error that would hide it (python/cpython#155433).
Co<void> TaskGroup::leave(std::exception_ptr body_error) {
  left_ = true;
  const bool body_cancelled = body_error && is_cancelled(body_error);
  bool told_of_cancel = body_cancelled;
  if (body_error && !aborting_) abort();
  while (size_ > 0) {
    empty_.clear();
    try {
      co_await empty_.wait();
    } catch (const Cancelled&) {
      told_of_cancel = true;
      if (!aborting_) abort();
    }
  }
  const bool had_own_request = parent_cancel_requested_;
  const bool foreign_request = undo_own_request();
  if (body_error && !body_cancelled) note_error("body", body_error);
  if (interrupt_) {
    for (auto& [name, error] : errors_)
      parent_.loop().complain({"an interrupt overrides the failure of " + name, std::move(error)});
    std::rethrow_exception(interrupt_);
  }
  if (!errors_.empty()) {
    if (foreign_request) {  // Keeps the count, and makes the cancel due again at the next await.
      parent_.uncancel();
      parent_.cancel();
    }
    throw ErrorGroup(std::move(errors_));
  }
  if (told_of_cancel && (foreign_request || !had_own_request)) throw Cancelled{};
}

}  // namespace gather::async
