/// Memory for coroutine frames and task cells: free lists by size, one set per thread.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define GATHER_PLAIN_FRAMES 1
#endif
#endif

namespace gather::async {

#ifdef GATHER_PLAIN_FRAMES

inline void* allocate_frame(std::size_t size) { return ::operator new(size); }
inline void free_frame(void* piece, std::size_t size) noexcept { ::operator delete(piece, size); }

#else

namespace detail {

inline constexpr std::size_t frame_step = 16;
inline constexpr std::size_t frame_classes = 256;  // Up to 4 KiB; larger frames are rare and go to malloc.

struct FramePiece {
  FramePiece* next;
};

struct FrameLists {
  std::array<FramePiece*, frame_classes> heads{};
  std::byte* chunk = nullptr;  // What is left of the chunk that is being cut up.
  std::byte* chunk_end = nullptr;
  std::size_t next_chunk = 0;
};

// Usable until the thread has gone, whatever has been destroyed before; so it has no destructor.
extern constinit thread_local FrameLists frame_lists;

void* cut_frame(std::size_t size_class);

}  // namespace detail

/// `size` bytes aligned for anything, from this thread's free list where it has a fitting piece.
///
/// Frames come and go in the same few sizes. A list halves the cost of a leaf await against malloc, and
/// cutting pieces from chunks spares its headers. Pieces are kept for later, never returned to the system.
/// Under a sanitizer it is plain operator new, so that a use after free is seen.
inline void* allocate_frame(std::size_t size) {
  const std::size_t size_class = (size - 1) / detail::frame_step;
  if (size_class >= detail::frame_classes) return ::operator new(size);
  detail::FramePiece*& head = detail::frame_lists.heads[size_class];
  return head != nullptr ? std::exchange(head, head->next) : detail::cut_frame(size_class);
}

/// On any thread. Requires: `piece` came from allocate_frame with the same `size`.
inline void free_frame(void* piece, std::size_t size) noexcept {
  const std::size_t size_class = (size - 1) / detail::frame_step;
  if (size_class < detail::frame_classes) {
    detail::FramePiece*& head = detail::frame_lists.heads[size_class];
    head = ::new (piece) detail::FramePiece{head};
  } else {
    ::operator delete(piece);
  }
}

#endif

/// While it lives, pieces that this thread frees are kept for other threads. For the end of a frame that was
/// made on another thread: there it may be asked for again, here the lists would grow with each.
class ForeignFrames {
 public:
  ForeignFrames() noexcept;
  ~ForeignFrames();
  ForeignFrames(const ForeignFrames&) = delete;
  ForeignFrames& operator=(const ForeignFrames&) = delete;

#ifndef GATHER_PLAIN_FRAMES
 private:
  std::array<detail::FramePiece*, detail::frame_classes> own_heads_;
#endif
};

/// Base of what lives in such memory.
struct FrameAllocated {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* piece, std::size_t size) noexcept { free_frame(piece, size); }
};

/// The same as an allocator, for what is shared and comes and goes as often as frames.
template <class T>
struct FrameAllocator {
  using value_type = T;

  FrameAllocator() = default;
  template <class U>
  FrameAllocator(const FrameAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) { return static_cast<T*>(allocate_frame(count * sizeof(T))); }
  void deallocate(T* pieces, std::size_t count) noexcept { free_frame(pieces, count * sizeof(T)); }
  friend bool operator==(const FrameAllocator&, const FrameAllocator&) = default;
};

}  // namespace gather::async
