/// gather and gather_settled: many things at once, results in the order given.
#pragma once

#include "core/async/combine/ensure_future.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/op.hpp"

#include <cstddef>
#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
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

namespace detail {

// Those to wait for. What is listed twice is one; tasks just made are all different.
template <class Part, class Handle>
std::vector<Cell*> cells_to_await(const std::vector<Handle>& handles) {
  std::vector<Cell*> cells = cells_of(handles);
  if constexpr (!is_co<Part>) drop_duplicates(cells);
  return cells;
}
template <class... Handles>
std::vector<Cell*> cells_to_await(const std::tuple<Handles...>& handles) {
  std::vector<Cell*> cells;
  cells.reserve(sizeof...(Handles));
  std::apply([&](const auto&... each) { (cells.push_back(&each.cell()), ...); }, handles);
  drop_duplicates(cells);
  return cells;
}

// The values of a list, or nothing where they have none.
template <class T>
using ValuesOf = std::conditional_t<std::is_void_v<T>, void, std::vector<Stored<T>>>;

template <class Part, class Handle>
Stored<PartValue<Part>> take_stored(Handle& handle) {
  if constexpr (std::is_void_v<PartValue<Part>>) {
    handle.result();
    return {};
  } else {
    return take_result<Part>(handle);
  }
}

}  // namespace detail

/// asyncio's gather: waits for all, and gives their values in the order given, whatever the order of
/// completion; nothing where they have no values. Coroutines run as tasks, started in the next pass; tasks
/// and futures are taken as they are, and one that is listed twice fills both places. A value that somebody
/// else may ask for too is copied, if it can be.
///
/// The first failure reaches the caller at once, and so does the first Cancelled of what somebody else
/// cancelled. The others run on (they are no part of the caller any more, so give coroutines values, not
/// references), and their later errors count as retrieved. Cancelling the caller cancels all that is not
/// done, and leaves as Cancelled when the first of it has ended. What gather starts on its own account is in
/// a TaskGroup instead, which ends what it began.
///
/// It is a coroutine, so nothing is started before it is awaited (asyncio starts the tasks at once).
template <Combinable Part>
Co<detail::ValuesOf<PartValue<Part>>> gather(std::vector<Part> parts) {
  auto handles = detail::ensure_futures(std::move(parts));
  if (auto error = co_await GatherOp(detail::cells_to_await<Part>(handles), true))
    std::rethrow_exception(error);
  if constexpr (!std::is_void_v<PartValue<Part>>) {
    std::vector<PartValue<Part>> values;
    values.reserve(handles.size());
    for (auto& handle : handles) values.push_back(detail::take_result<Part>(handle));
    co_return values;
  }
}

/// The same for a few with values of different types, as a tuple; `Nothing` stands for the value of one that
/// has none. `auto [page, size] = co_await gather(fetch(url), task);`
template <Combinable... Parts>
Co<std::tuple<Stored<PartValue<Parts>>...>> gather(Parts... parts) {
  auto handles = std::tuple(ensure_future(std::move(parts))...);
  if (auto error = co_await GatherOp(detail::cells_to_await(handles), true)) std::rethrow_exception(error);
  co_return std::apply(
      [](auto&... each) {
        return std::tuple<Stored<PartValue<Parts>>...>(detail::take_stored<Parts>(each)...);
      },
      handles);
}

/// asyncio's gather(return_exceptions=True): waits for all; a failure or a cancel of one stands in its place.
/// Cancelling the caller cancels all, and leaves as Cancelled when the last one has ended.
template <Combinable Part>
Co<std::vector<Result<PartValue<Part>>>> gather_settled(std::vector<Part> parts) {
  auto handles = detail::ensure_futures(std::move(parts));
  co_await GatherOp(detail::cells_to_await<Part>(handles), false);
  std::vector<Result<PartValue<Part>>> results;
  results.reserve(handles.size());
  for (auto& handle : handles) results.push_back(detail::take_settled<Part>(handle));
  co_return results;
}

/// The same for a few with values of different types, as a tuple.
template <Combinable... Parts>
Co<std::tuple<Result<PartValue<Parts>>...>> gather_settled(Parts... parts) {
  auto handles = std::tuple(ensure_future(std::move(parts))...);
  co_await GatherOp(detail::cells_to_await(handles), false);
  co_return std::apply(
      [](auto&... each) {
        return std::tuple<Result<PartValue<Parts>>...>(detail::take_settled<Parts>(each)...);
      },
      handles);
}

}  // namespace gather::async
