/// shield: to wait for something without a cancel of the waiter reaching it.
#pragma once

#include "core/async/combine/ensure_future.hpp"
#include "core/async/task/op.hpp"

#include <utility>
#include <vector>

namespace gather::async {

/// Waits for a cell to end. Cancelling the waiter leaves the cell alone.
class ShieldedJoin final : public Op, private DoneHook {
 public:
  /// The caller keeps the cell.
  explicit ShieldedJoin(Cell& target) noexcept : target_(target) {}

  bool await_ready() const noexcept { return target_.done(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) target_.add_hook(*this);
  }
  void await_resume() { leave(); }

 private:
  void on_done(Cell&) noexcept override { complete(); }
  Abort abort() noexcept override {
    target_.remove_hook(*this);
    return Abort::detached;
  }
  void targets(std::vector<const Cell*>& cells) const override { cells.push_back(&target_); }

  Cell& target_;
};

/// Waits for a task or future and gives its value or throws what it ended with, Cancelled too if that was
/// cancelled by somebody else. Cancelling the caller throws Cancelled there and leaves the task alone, which
/// the loop keeps; what it fails with then goes to the exception handler unless somebody else asks for it.
///
/// What is done gives its outcome at once. asyncio's shield is a future; this is a coroutine, which gather,
/// wait_for and the like take too.
template <Combinable Handle>
  requires std::derived_from<Handle, AnyFuture>
Co<typename Handle::Value> shield(Handle handle) {
  co_await ShieldedJoin(handle.cell());
  co_return detail::take_result<Handle>(handle);
}

/// The same for a coroutine, which becomes a task at once, on the running loop.
template <class T>
Co<T> shield(Co<T> body) {
  return shield(ensure_future(std::move(body)));
}

}  // namespace gather::async
