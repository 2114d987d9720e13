/// One form for all that combine things: a coroutine becomes a task, a task or a future is taken as it is.
#pragma once

#include "core/async/loop/running.hpp"
#include "core/async/task/awaitable.hpp"

#include <concepts>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace gather::async {

/// Makes a task of `body` on the running loop; it starts in the next pass. Throws InvalidState outside of a
/// run.
template <class T>
Task<T> ensure_future(Co<T> body) {
  return create_task(std::move(body));
}

template <std::derived_from<AnyFuture> Handle>
Handle ensure_future(Handle handle) noexcept {
  return handle;
}

/// Co<T>, Task<T>, Future<T> or Awaitable<T>: what gather and its like take.
template <class Part>
concept Combinable = requires(Part part) { typename decltype(ensure_future(std::move(part)))::Value; };

/// The T of one.
template <Combinable Part>
using PartValue = decltype(ensure_future(std::declval<Part>()))::Value;

namespace detail {

template <class Part>
inline constexpr bool is_co = false;
template <class T>
inline constexpr bool is_co<Co<T>> = true;

// Of a task that was made of a coroutine the value can be moved, for nobody else has it; what others may hold
// too gives a copy, where there is one.
template <class Part>
inline constexpr bool moves_value =
    !std::is_void_v<PartValue<Part>> && (is_co<Part> || !std::is_copy_constructible_v<PartValue<Part>>);

template <class Handle>
auto join(Handle& handle) {
  if constexpr (moves_value<Handle>)
    return std::move(handle).operator co_await();
  else
    return std::as_const(handle).operator co_await();
}

// Of one that is done.
template <class Part, class Handle>
PartValue<Part> take_result(Handle& handle) {
  if constexpr (moves_value<Part>)
    return std::move(handle).result();
  else
    return handle.result();
}

template <class Part, class Handle>
Result<PartValue<Part>> take_settled(Handle& handle) {
  if constexpr (moves_value<Part>) {
    if (auto error = handle.cell().error()) return std::unexpected(std::move(error));
    return std::move(handle).result();
  } else {
    return handle.settled();
  }
}

template <class Part>
auto ensure_futures(std::vector<Part> parts) {
  if constexpr (is_co<Part>) {
    std::vector<decltype(ensure_future(std::declval<Part>()))> handles;
    handles.reserve(parts.size());
    for (Part& part : parts) handles.push_back(ensure_future(std::move(part)));
    return handles;
  } else {
    return parts;
  }
}

inline const Cell* cell_of(const Cell* cell) noexcept { return cell; }
inline const Cell* cell_of(const AnyFuture& handle) noexcept { return &handle.cell(); }

// Keeps the first of those that are the same task or future.
template <class Handle>
void drop_duplicates(std::vector<Handle>& handles) {
  std::unordered_set<const Cell*> seen;
  std::erase_if(handles, [&](const Handle& handle) { return !seen.insert(cell_of(handle)).second; });
}

template <class Handle>
std::vector<Cell*> cells_of(const std::vector<Handle>& handles) {
  std::vector<Cell*> cells;
  cells.reserve(handles.size());
  for (const Handle& handle : handles) cells.push_back(&handle.cell());
  return cells;
}

}  // namespace detail
}  // namespace gather::async
