/// keep: for what is as large as a job and needed to the end.
#pragma once

#include <utility>
#include <vector>

namespace gather {

/// Moves `value` to where it stays until the process ends, and is not destroyed even then: the system takes
/// back all memory at once, and freeing that of 10,000 tasks piece by piece takes as long as a hundred of
/// their downloads. For values that hold nothing but memory, and not more of them than a program has.
template <class T>
T& keep(T value) {
  static auto* const kept = new std::vector<T*>;  // Reachable, so that a leak checker sees what it is.
  return *kept->emplace_back(new T(std::move(value)));
}

}  // namespace gather
