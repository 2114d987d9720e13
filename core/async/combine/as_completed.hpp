/// as_completed: tasks and futures one by one, in the order in which they end.
#pragma once

#include "core/async/combine/ensure_future.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gather::async {

/// The order in which cells end.
class Completions {
 public:
  /// The caller keeps the cells, which are all different ones. The time runs from now.
  Completions(std::vector<Cell*> cells, std::optional<Duration> timeout);
  Completions(Completions&&) noexcept;
  ~Completions();

  /// The index of the one that ended next; nothing after the last. After the timeout it throws TimeoutError,
  /// once for each that is left.
  Co<std::optional<std::size_t>> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// See as_completed.
template <class Handle>
class [[nodiscard]] AsCompleted {
 public:
  AsCompleted(std::vector<Handle> handles, std::optional<Duration> timeout)
      : handles_(std::move(handles)), completions_(detail::cells_of(handles_), timeout) {}

  /// The one that ended next, once there is one, or nothing after the last. After the timeout it throws
  /// TimeoutError, once for each that has not ended. Cancelling the caller loses none. Requires: awaited
  /// where it is made; this object stays where it is meanwhile.
  Co<std::optional<Handle>> next() {
    const std::optional<std::size_t> index = co_await completions_.next();
    if (!index) co_return std::nullopt;
    co_return handles_[*index];
  }

 private:
  std::vector<Handle> handles_;
  Completions completions_;
};

/// Gives the tasks or futures in the order in which they end; the same one listed twice comes once.
///
///     auto finished = as_completed(std::move(tasks), 10s);
///     while (auto task = co_await finished.next()) use(task->result());
///
/// The timeout runs from this call, and cancels nobody. Coroutines become tasks at once, on the running loop.
/// A class of its own and no AsyncGenerator, for that would end with the first TimeoutError.
template <class Part>
  requires detail::is_co<Part> || std::derived_from<Part, AnyFuture>
auto as_completed(std::vector<Part> parts, std::optional<Duration> timeout = {}) {
  auto handles = detail::ensure_futures(std::move(parts));
  detail::drop_duplicates(handles);
  return AsCompleted(std::move(handles), timeout);
}

}  // namespace gather::async
