#include "core/async/combine/gather.hpp"

namespace gather::async {

GatherOp::GatherOp(std::size_t room, bool stop_at_error)
    : children_(std::make_unique<Child[]>(room)), stop_at_error_(stop_at_error) {}

GatherOp::~GatherOp() {
  for (std::size_t i = 0; i < size_; ++i) {
    Cell& cell = child(i);
    if (!cell.done()) cell.remove_hook(children_[i]);
    cell.release();
  }
}

void GatherOp::add(Cell& cell) noexcept {
  cell.retain();
  cell.mute();
  Child& place = children_[size_++];
  place.op = this;
  place.cell = &cell;
}

void GatherOp::begin() {
  left_ = size_;
  for (std::size_t i = 0; i < size_; ++i) {
    if (child(i).done())
      child_done(child(i));
    else
      child(i).add_hook(children_[i]);
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
  for (std::size_t i = 0; i < size_; ++i) child(i).cancel();
  return Abort::forwarded;
}

std::exception_ptr GatherOp::await_resume() {
  leave();
  if (cancel_requested_) throw Cancelled{};
  return first_error_;
}

}  // namespace gather::async
