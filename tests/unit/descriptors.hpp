/// How many descriptors this process has, for tests that leave none.
#pragma once

#include "core/async/loop/loop.hpp"

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace gather::test {

/// Counts those that libuv opens with a process's first loop and keeps from then on, whether there has been
/// one or not: tests run in any order.
inline std::size_t open_descriptors() {
  [[maybe_unused]] static const bool opened = [] {
    async::Loop{};
    return true;
  }();
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

}  // namespace gather::test
