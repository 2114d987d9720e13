#include "core/async/task/op.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/task/error.hpp"

#include <cassert>

namespace gather::async {

bool Op::park(CoPromiseBase& frame) noexcept {
  assert(stage_ == Stage::idle);
  TaskCell& task = *frame.task;
  task_ = &task;
  task.resume_at_ = &frame;
  task.op_ = this;
  if (!task.must_cancel_) {
    stage_ = Stage::parked;
    return true;
  }
  task.must_cancel_ = false;
  stage_ = Stage::aborted;
  task.loop().enqueue(task);
  return false;
}

void Op::complete() noexcept {
  assert(stage_ == Stage::parked);
  stage_ = Stage::completed;
  task_->loop().enqueue(*task_);
}

void Op::leave() {
  if (stage_ == Stage::idle) return;
  TaskCell& task = *task_;
  task.op_ = nullptr;
  const Stage stage = stage_;
  stage_ = Stage::idle;
  const bool requested = task.must_cancel_;
  task.must_cancel_ = false;  // However often it was requested, it is delivered once.
  if (stage == Stage::aborted) throw Cancelled{};
  if (requested) {
    undo();
    throw Cancelled{};
  }
}

}  // namespace gather::async
