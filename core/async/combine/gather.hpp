/// gather and gather_settled: many coroutines at once, results in the order given.
#pragma once

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <cstddef>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace gather::async {

/// Waits for several tasks: for all, or until the first one fails if `stop_at_error`. Cancelling the waiter
/// cancels every unfinished one; then it waits on, and ends as Cancelled.
class GatherOp final : public Op {
 public:
  /// Keeps `children` by reference counts; what they fail with counts as retrieved.
  GatherOp(std::vector<Cell*> children, bool stop_at_error);
  ~GatherOp();

  bool await_ready() const noexcept { return children_.empty(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  /// The error of the child that failed first, or null.
  std::exception_ptr await_resume();

 private:
  struct Hook final : DoneHook {
    void on_done(Cell& child) noexcept override { op->child_done(child); }
    GatherOp* op = nullptr;
  };

  void begin();
  void child_done(Cell& child) noexcept;
  Abort abort() noexcept override;
  void targets(std::vector<const Cell*>& cells) const override {
    cells.insert(cells.end(), children_.begin(), children_.end());
  }

  std::vector<Cell*> children_;
  std::unique_ptr<Hook[]> hooks_;
  std::size_t left_;
  std::exception_ptr first_error_;
  bool stop_at_error_;
  bool cancel_requested_ = false;
};

/// The tasks of a gather, in order, each started in the next pass.
template <class T>
struct Gathered {
  Gathered(Loop& loop, std::vector<Co<T>> bodies) {
    tasks.reserve(bodies.size());
    for (Co<T>& body : bodies) tasks.push_back(loop.create_task(std::move(body)));
  }

  GatherOp wait(bool stop_at_error) const {
    std::vector<Cell*> cells;
    cells.reserve(tasks.size());
    for (const Task<T>& task : tasks) cells.push_back(&task.cell());
    return GatherOp(std::move(cells), stop_at_error);
  }

  std::vector<Task<T>> tasks;
};

/// asyncio's gather: runs all as tasks and gives their values in the order given, whatever the order of
/// completion.
///
/// The first failure reaches the caller at once; the others run on (they are no part of the caller any more,
/// so give them values, not references), and their later errors count as retrieved. Cancelling the caller
/// cancels all. Inside gather itself work is started in a TaskGroup, which ends what it began.
template <class T>
Co<std::vector<T>> gather(std::vector<Co<T>> bodies) {
  Gathered<T> gathered((co_await this_task()).loop(), std::move(bodies));
  if (auto error = co_await gathered.wait(true)) std::rethrow_exception(error);
  std::vector<T> values;
  values.reserve(gathered.tasks.size());
  for (Task<T>& task : gathered.tasks) values.push_back(std::move(task).result());
  co_return values;
}

/// The same for coroutines without a value.
Co<void> gather(std::vector<Co<void>> bodies);

/// asyncio's gather(return_exceptions=True): waits for all; a failure or a cancel of one stands in its place.
template <class T>
Co<std::vector<Result<T>>> gather_settled(std::vector<Co<T>> bodies) {
  Gathered<T> gathered((co_await this_task()).loop(), std::move(bodies));
  co_await gathered.wait(false);
  std::vector<Result<T>> results;
  results.reserve(gathered.tasks.size());
  for (const Task<T>& task : gathered.tasks) results.push_back(task.settled());
  co_return results;
}

}  // namespace gather::async
