#include "core/async/task/cell.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <fmt/format.h>

#include <cassert>
#include <utility>

namespace gather::async {

TaskCell::TaskCell(Loop& loop, std::coroutine_handle<> root) noexcept
    : loop_(loop), resume_at_(root), root_(root), number_(loop.next_task_number_++) {}

TaskCell::~TaskCell() {
  if (state_ == State::failed && !error_retrieved_)
    loop_.complain({fmt::format("task {} failed, and nobody asked for its result", name()), error_});
}

std::string TaskCell::name() const {
  return extras_ && !extras_->name.empty() ? extras_->name : fmt::format("Task-{}", number_);
}

void TaskCell::rename(std::string name) { extras().name = std::move(name); }

TaskCell::Extras& TaskCell::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

bool TaskCell::cancel() noexcept {
  if (done()) return false;
  ++cancel_requests_;
  if (op_ == nullptr || op_->stage_ != Op::Stage::parked) {
    must_cancel_ = true;  // Not started, running now, or about to run: the next await that suspends tells it.
    return true;
  }
  switch (op_->abort()) {
    case Op::Abort::detached:
      op_->stage_ = Op::Stage::aborted;
      loop_.enqueue(*this);
      break;
    case Op::Abort::forwarded:
      break;
    case Op::Abort::later:
      must_cancel_ = true;
      break;
  }
  return true;
}

int TaskCell::uncancel() noexcept {
  if (cancel_requests_ > 0) --cancel_requests_;
  if (cancel_requests_ == 0) must_cancel_ = false;
  return cancel_requests_;
}

void TaskCell::add_done_callback(std::move_only_function<void()> callback) {
  if (done())
    loop_.call_soon(std::move(callback));
  else
    extras().callbacks.push_back(std::move(callback));
}

void TaskCell::release() noexcept {
  if (--references_ == 0) delete this;
}

void TaskCell::run() {
  if (!started_) {
    started_ = true;
    if (must_cancel_) {  // The body never starts; its arguments are destroyed.
      end(State::cancelled, std::make_exception_ptr(Cancelled{}));
      return;
    }
  }
  TaskCell* const outer = std::exchange(loop_.current_, this);
  resume_at_.resume();
  loop_.current_ = outer;
  if (!root_.done()) return;
  if (std::exception_ptr error = collect())
    end(is_cancelled(error) ? State::cancelled : State::failed, std::move(error));
  else if (must_cancel_)  // Cancelled during its last step: the result is discarded.
    end(State::cancelled, std::make_exception_ptr(Cancelled{}));
  else
    end(State::finished, nullptr);
}

void TaskCell::end(State state, std::exception_ptr error) noexcept {
  destroy_root();
  root_ = nullptr;
  state_ = state;
  error_ = std::move(error);
  while (first_hook_ != nullptr) {
    DoneHook& hook = *first_hook_;
    first_hook_ = std::exchange(hook.next_, nullptr);
    hook.on_done(*this);
  }
  if (extras_)
    for (auto& callback : std::exchange(extras_->callbacks, {})) loop_.call_soon(std::move(callback));
  loop_.forget(*this);  // Drops the loop's reference, perhaps the last.
}

void TaskCell::add_hook(DoneHook& hook) noexcept {
  DoneHook** place = &first_hook_;
  while (*place != nullptr) place = &(*place)->next_;  // A second hook is rare, a third hardly seen.
  *place = &hook;
}

void TaskCell::remove_hook(DoneHook& hook) noexcept {
  for (DoneHook** place = &first_hook_; *place != nullptr; place = &(*place)->next_)
    if (*place == &hook) {
      *place = std::exchange(hook.next_, nullptr);
      return;
    }
}

}  // namespace gather::async
