/// Memory for coroutine frames and task cells: free lists by size, one set per thread.
#pragma once

#include <cstddef>

namespace gather::async {

/// `size` bytes aligned for anything, from this thread's free list where it has a fitting piece.
///
/// Frames come and go in the same few sizes. A list halves the cost of a leaf await against malloc, and
/// cutting pieces from chunks spares its headers. Pieces are kept for later, never returned to the system.
/// Under a sanitizer it is plain operator new, so that a use after free is seen.
void* allocate_frame(std::size_t size);

/// On any thread. Requires: `piece` came from allocate_frame with the same `size`.
void free_frame(void* piece, std::size_t size) noexcept;

/// Base of what lives in such memory.
struct FrameAllocated {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* piece, std::size_t size) noexcept { free_frame(piece, size); }
};

}  // namespace gather::async
