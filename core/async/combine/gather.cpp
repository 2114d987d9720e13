#include "core/async/combine/gather.hpp"

namespace gather::async {

GatherOp::GatherOp(std::vector<Cell*> children, bool stop_at_error)
    : children_(std::move(children)),
      hooks_(std::make_unique<Hook[]>(children_.size())),
      left_(children_.size()),
      stop_at_error_(stop_at_error) {
  for (Cell* const child : children_) {
    child->retain();
    child->mute();
  }
}

GatherOp::~GatherOp() {
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (!children_[i]->done()) children_[i]->remove_hook(hooks_[i]);
    children_[i]->release();
  }
}

void GatherOp::begin() {
  for (std::size_t i = 0; i < children_.size(); ++i) {
    hooks_[i].op = this;
    if (children_[i]->done())
      child_done(*children_[i]);
    else
      children_[i]->add_hook(hooks_[i]);
  }
}

void GatherOp::child_done(Cell& child) noexcept {
  --left_;
  if (!parked()) return;  // An error was delivered already.
  if (stop_at_error_ && child.state() != TaskCell::State::finished) first_error_ = child.error();
  if (first_error_ || left_ == 0) complete();
}

Op::Abort GatherOp::abort() noexcept {
  cancel_requested_ = true;
  for (Cell* const child : children_) child->cancel();
  return Abort::forwarded;
}

std::exception_ptr GatherOp::await_resume() {
  leave();
  if (cancel_requested_) throw Cancelled{};
  return first_error_;
}

}  // namespace gather::async
