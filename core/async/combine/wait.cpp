#include "core/async/combine/wait.hpp"

#include <algorithm>

namespace gather::async {

WaitForCells::WaitForCells(std::vector<Cell*> cells, WaitOptions options)
    : cells_(std::move(cells)),
      hooks_(std::make_unique<Hook[]>(cells_.size())),
      left_(
          static_cast<std::size_t>(std::ranges::count_if(cells_, [](Cell* cell) { return !cell->done(); }))),
      options_(options) {}

bool WaitForCells::await_ready() const noexcept {
  return left_ == 0 ||
         std::ranges::any_of(cells_, [&](const Cell* cell) { return cell->done() && ends_wait(*cell); });
}

bool WaitForCells::ends_wait(const Cell& cell) const noexcept {
  switch (options_.return_when) {
    case ReturnWhen::all_completed:
      return false;
    case ReturnWhen::first_completed:
      return true;
    case ReturnWhen::first_exception:
      return cell.state() == Cell::State::failed;
  }
  return false;
}

void WaitForCells::begin() {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (cells_[i]->done()) continue;
    hooks_[i].op = this;
    cells_[i]->add_hook(hooks_[i]);
  }
  if (!options_.timeout) return;
  loop_ = &task().loop();
  loop_->arm(*this, loop_->now() + *options_.timeout);
}

void WaitForCells::cell_done(const Cell& cell) noexcept {
  --left_;
  if (parked() && (left_ == 0 || ends_wait(cell))) complete();
}

void WaitForCells::on_time() noexcept {
  loop_ = nullptr;
  if (parked()) complete();
}

void WaitForCells::detach() noexcept {
  for (std::size_t i = 0; i < cells_.size(); ++i)
    if (hooks_[i].op != nullptr && !cells_[i]->done()) cells_[i]->remove_hook(hooks_[i]);
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->disarm(*this);
}

Op::Abort WaitForCells::abort() noexcept {
  detach();
  for (std::size_t i = 0; i < cells_.size(); ++i) hooks_[i].op = nullptr;
  return Abort::detached;
}

void WaitForCells::await_resume() {
  detach();
  leave();
}

}  // namespace gather::async
