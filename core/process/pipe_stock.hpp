/// PipeStock: pipes for what children write, some of them made before they are needed.
#pragma once

#include "core/process/descriptor.hpp"

#include <cstddef>
#include <expected>
#include <vector>

namespace gather::process {

/// Both ends are closed on exec. The reading end never blocks: even a read that follows an event could, since
/// a child that opens /dev/stdout for reading can take the bytes away before us. The writing end does, as
/// programs would trip over EAGAIN.
struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

/// Gives pipes, and keeps those of one child ready, so that the making of them need not stand between one
/// child's end and the next one's start.
class PipeStock {
 public:
  static constexpr std::size_t most = 2;

  /// One from the stock, or a new one; an errno value if there can be none.
  std::expected<Pipe, int> take();

  /// Makes what is missing in the stock, as far as that is possible. For moments in which nothing waits.
  void refill();

 private:
  std::vector<Pipe> stock_;
};

}  // namespace gather::process
