/// Bytes on their way to a reader that is slow: first in, first out, a little in memory and the rest in a
/// file that has no name.
#pragma once

#include "core/process/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gather::run {

class Overflow {
 public:
  Overflow() = default;
  /// At most so much stays in memory, besides the 64 KiB that are read back at a time.
  explicit Overflow(std::size_t memory) noexcept : most_in_memory_(memory) {}

  /// Throws Error(task_failed) if the file can't be written.
  void append(std::string_view bytes);

  bool empty() const noexcept { return taken_ == memory_.size() && filed_ == 0; }

  /// The oldest bytes, some of them; empty if there are none. Good until the next call of anything. Throws
  /// Error(task_failed) if they can't be read back.
  std::string_view front();
  /// Requires: front() has given so many.
  void drop(std::size_t count);

 private:
  std::size_t most_in_memory_ = std::size_t{256} * 1024;
  std::string memory_;      // Older than what is in the file.
  std::size_t taken_ = 0;   // Of memory_.
  std::uint64_t read_ = 0;  // Where the file's oldest byte is.
  std::uint64_t filed_ = 0;
  process::Descriptor file_;  // Opened with the first byte that finds no room in memory.
};

}  // namespace gather::run
