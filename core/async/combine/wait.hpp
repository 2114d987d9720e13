/// wait: until some or all of a list of tasks and futures are done; which they are, and which are not.
#pragma once

#include "core/async/combine/ensure_future.hpp"
#include "core/async/loop/timer_queue.hpp"
#include "core/async/task/op.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace gather::async {

enum class ReturnWhen : std::uint8_t { all_completed, first_completed, first_exception };

// asyncio's names.
inline constexpr ReturnWhen ALL_COMPLETED = ReturnWhen::all_completed;
inline constexpr ReturnWhen FIRST_COMPLETED = ReturnWhen::first_completed;
inline constexpr ReturnWhen FIRST_EXCEPTION = ReturnWhen::first_exception;  ///< Or all; a cancel is none.

struct WaitOptions {
  std::optional<Duration> timeout{};
  ReturnWhen return_when = ALL_COMPLETED;
};

/// Waits until that many cells are done, or its time is up. Cancels nobody, and cancelling the waiter does
/// not either.
class WaitForCells final : public Op, private Timer {
 public:
  /// The caller keeps the cells, which are all different ones.
  WaitForCells(std::vector<Cell*> cells, WaitOptions options);

  bool await_ready() const noexcept;
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  void await_resume();

 private:
  struct Hook final : DoneHook {
    void on_done(Cell& cell) noexcept override { op->cell_done(cell); }
    WaitForCells* op = nullptr;
  };

  void begin();
  void cell_done(const Cell& cell) noexcept;
  bool ends_wait(const Cell& cell) const noexcept;
  void detach() noexcept;
  void on_time() noexcept override;
  Abort abort() noexcept override;
  void targets(std::vector<const Cell*>& cells) const override {
    cells.insert(cells.end(), cells_.begin(), cells_.end());
  }

  std::vector<Cell*> cells_;
  std::unique_ptr<Hook[]> hooks_;
  std::size_t left_;
  WaitOptions options_;
  Loop* loop_ = nullptr;  // While its timer is armed.
};

template <class Handle>
struct DoneAndPending {
  std::vector<Handle> done;
  std::vector<Handle> pending;
};

/// Waits until all of `waited` are done, or the first one is, or the first one has failed, or the time is up.
/// Gives the handles in two lists, each in the order given and without repetition; whatever is done by the
/// time the caller runs is in `done`.
///
///     auto [done, pending] = co_await wait(tasks, {.timeout = 1s, .return_when = FIRST_COMPLETED});
///
/// Throws for neither a timeout nor an error of what it waits for, and cancels nobody, also if the caller is
/// cancelled. `std::vector<AnyFuture>` takes what has different values. Throws std::invalid_argument if there
/// is nothing to wait for.
template <std::derived_from<AnyFuture> Handle>
Co<DoneAndPending<Handle>> wait(std::vector<Handle> waited, WaitOptions options = {}) {
  if (waited.empty()) throw std::invalid_argument("wait: there is nothing to wait for");
  detail::drop_duplicates(waited);
  co_await WaitForCells(detail::cells_of(waited), options);
  DoneAndPending<Handle> result;
  for (Handle& handle : waited) (handle.done() ? result.done : result.pending).push_back(std::move(handle));
  co_return result;
}

/// The same for coroutines, which become tasks at once, on the running loop.
template <class T>
Co<DoneAndPending<Task<T>>> wait(std::vector<Co<T>> bodies, WaitOptions options = {}) {
  return wait(detail::ensure_futures(std::move(bodies)), options);
}

}  // namespace gather::async
