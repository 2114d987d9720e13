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

/// Waits for several tasks and futures: for all, or until the first one fails if `stop_at_error`. Cancelling
/// the waiter cancels every unfinished one; then it waits on, and ends as Cancelled.
class GatherOp final : public Op {
 public:
  /// For at most `room` children.
  GatherOp(std::size_t room, bool stop_at_error);
  ~GatherOp();

  /// Takes a child, not one twice, and keeps it by its reference count; what it fails with counts as
  /// retrieved. Requires: there is room, and nobody awaits this yet.
  void add(Cell& child) noexcept;
  /// In the order of add().
  Cell& child(std::size_t index) const noexcept { return *children_[index].cell; }
  std::size_t size() const noexcept { return size_; }

  bool await_ready() const noexcept { return size_ == 0; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  /// The error of the child that failed first, or null.
  std::exception_ptr await_resume();

 private:
  struct Child final : DoneHook {
    void on_done(Cell&) noexcept override { op->child_done(*cell); }
    GatherOp* op = nullptr;
    Cell* cell = nullptr;
  };

  void begin();
  void child_done(Cell& child) noexcept;
  Abort abort() noexcept override;
  void targets(std::vector<const Cell*>& cells) const override {
    for (std::size_t i = 0; i < size_; ++i) cells.push_back(&child(i));
  }

  std::unique_ptr<Child[]> children_;
  std::size_t size_ = 0;
  std::size_t left_ = 0;
  std::exception_ptr first_error_;
  bool stop_at_error_;
  bool cancel_requested_ = false;
};

namespace detail {

// What is listed twice is one child.
inline void add_children(GatherOp& all, std::vector<Cell*> cells) {
  drop_duplicates(cells);
  for (Cell* const cell : cells) all.add(*cell);
}

// Those of a tuple.
template <class... Handles>
void add_children(GatherOp& all, const std::tuple<Handles...>& handles) {
  std::apply([&](const auto&... each) { add_children(all, std::vector<Cell*>{&each.cell()...}); }, handles);
}

// The parts of a list as children of a gather. Of coroutines it keeps nothing but that: there may be a
// million.
template <class Part>
class Gathered {
 public:
  Gathered(std::vector<Part> parts, bool stop_at_error) : all(parts.size(), stop_at_error) {
    if constexpr (is_co<Part>) {
      for (Part& part : parts) all.add(ensure_future(std::move(part)).cell());
    } else {
      add_children(all, cells_of(parts));
      handles_ = std::move(parts);
    }
  }

  std::size_t size() const noexcept { return handles_.empty() ? all.size() : handles_.size(); }
  auto handle(std::size_t index) const noexcept {
    if constexpr (is_co<Part>)
      return Awaitable<PartValue<Part>>(all.child(index));
    else
      return handles_[index];
  }

  GatherOp all;

 private:
  std::vector<Part> handles_;  // Of tasks and futures, in the order given and perhaps repeated.
};

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
  detail::Gathered<Part> gathered(std::move(parts), true);
  if (auto error = co_await gathered.all) std::rethrow_exception(error);
  if constexpr (!std::is_void_v<PartValue<Part>>) {
    std::vector<PartValue<Part>> values;
    values.reserve(gathered.size());
    for (std::size_t i = 0; i < gathered.size(); ++i) {
      auto handle = gathered.handle(i);
      values.push_back(detail::take_result<Part>(handle));
    }
    co_return values;
  }
}

/// The same for a few with values of different types, as a tuple; `Nothing` stands for the value of one that
/// has none. `auto [page, size] = co_await gather(fetch(url), task);`
template <Combinable... Parts>
Co<std::tuple<Stored<PartValue<Parts>>...>> gather(Parts... parts) {
  auto handles = std::tuple(ensure_future(std::move(parts))...);
  GatherOp all(sizeof...(Parts), true);
  detail::add_children(all, handles);
  if (auto error = co_await all) std::rethrow_exception(error);
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
  detail::Gathered<Part> gathered(std::move(parts), false);
  co_await gathered.all;
  std::vector<Result<PartValue<Part>>> results;
  results.reserve(gathered.size());
  for (std::size_t i = 0; i < gathered.size(); ++i) {
    auto handle = gathered.handle(i);
    results.push_back(detail::take_settled<Part>(handle));
  }
  co_return results;
}

/// The same for a few with values of different types, as a tuple.
template <Combinable... Parts>
Co<std::tuple<Result<PartValue<Parts>>...>> gather_settled(Parts... parts) {
  auto handles = std::tuple(ensure_future(std::move(parts))...);
  GatherOp all(sizeof...(Parts), false);
  detail::add_children(all, handles);
  co_await all;
  co_return std::apply(
      [](auto&... each) {
        return std::tuple<Result<PartValue<Parts>>...>(detail::take_settled<Parts>(each)...);
      },
      handles);
}

}  // namespace gather::async
