#include "core/async/task/task_cell.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <fmt/format.h>

#include <utility>

namespace gather::async {

TaskCell::TaskCell(Loop& loop, CoPromiseBase& root) noexcept
    : Cell(loop), resume_at_(&root), context_(current_context()), number_(loop.next_task_number_++) {
  root.task = this;
}

std::string TaskCell::name() const {
  const Extras* const extras = extras_if_any();
  return extras != nullptr && !extras->name.empty() ? extras->name : fmt::format("Task-{}", number_);
}

void TaskCell::set_name(std::string name) { extras().name = std::move(name); }

std::string TaskCell::title() const { return "task " + name(); }

std::source_location TaskCell::created_at() const noexcept {
  const Extras* const extras = extras_if_any();
  return extras != nullptr ? extras->created_at : std::source_location();
}

const CoPromiseBase* TaskCell::innermost() const noexcept {
  return done() || loop().current_ == this ? nullptr : resume_at_;
}

const Op* TaskCell::parked_on() const noexcept {
  return op_ != nullptr && op_->stage_ == Op::Stage::parked ? op_ : nullptr;
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
      loop().enqueue(*this);
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

void TaskCell::run() {
  if (!started_) {
    started_ = true;
    if (must_cancel_) {  // The body never starts; its arguments are destroyed.
      finish(State::cancelled, std::make_exception_ptr(Cancelled{}));
      return;
    }
  }
  Loop& its_loop = loop();
  TaskCell* const outer = std::exchange(its_loop.current_, this);
  resume_at_->frame().resume();
  its_loop.current_ = outer;
  if (!root_ended_) return;
  if (std::exception_ptr error = collect())
    finish(is_cancelled(error) ? State::cancelled : State::failed, std::move(error));
  else if (must_cancel_)  // Cancelled during its last step: the result is discarded.
    finish(State::cancelled, std::make_exception_ptr(Cancelled{}));
  else
    finish(State::finished, nullptr);
}

void TaskCell::finish(State state, std::exception_ptr error) noexcept {
  destroy_root();
  if (loop().debug() && state == State::finished && cancel_requests_ > 0)
    loop().complain({fmt::format("{} was cancelled, and swallowed it: it neither passed Cancelled on nor "
                                 "called uncancel()",
                                 title()),
                     nullptr, created_at()});
  end(state, std::move(error));
  loop().forget(*this);  // Drops the loop's reference, perhaps the last.
}

}  // namespace gather::async
