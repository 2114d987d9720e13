#include "core/async/task/frame.hpp"

#ifdef GATHER_PLAIN_FRAMES

namespace gather::async {

ForeignFrames::ForeignFrames() noexcept = default;
ForeignFrames::~ForeignFrames() = default;

}  // namespace gather::async

#else

#include <sys/mman.h>

#include <algorithm>
#include <mutex>

namespace gather::async {
namespace detail {
namespace {

// Chunks double in size from the one to the other, so that a small program stays small. The last is the
// size of a huge page, which spares 512 page faults where the kernel gives one.
constexpr std::size_t first_chunk = std::size_t{32} << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;

// What threads that have ended left, and what others freed for them. Chunks are never given back: pieces of
// one may live on any thread, as coroutines are made on one and end on another.
struct Estate {
  std::mutex mutex;
  FrameLists lists;
};

Estate& estate() {
  static Estate* const one = new Estate;  // Outlives every static that may own a frame.
  return *one;
}

// Lives as long as the thread: takes over what others left, and leaves what this one has.
struct Inheritance {
  Inheritance() {
    Estate& from = estate();
    const std::lock_guard lock(from.mutex);
    frame_lists = std::exchange(from.lists, FrameLists());
  }
  Inheritance(const Inheritance&) = delete;
  Inheritance& operator=(const Inheritance&) = delete;
  ~Inheritance() {
    Estate& to = estate();
    const std::lock_guard lock(to.mutex);
    for (std::size_t i = 0; i < frame_classes; ++i) {
      FramePiece** end = &frame_lists.heads[i];
      while (*end != nullptr) end = &(*end)->next;
      *end = std::exchange(to.lists.heads[i], frame_lists.heads[i]);
    }
    if (frame_lists.chunk_end - frame_lists.chunk > to.lists.chunk_end - to.lists.chunk) {
      to.lists.chunk = frame_lists.chunk;
      to.lists.chunk_end = frame_lists.chunk_end;
    }
    to.lists.next_chunk = std::max(to.lists.next_chunk, frame_lists.next_chunk);
    frame_lists = FrameLists();
  }
};

void new_chunk() {
  const std::size_t size = std::max(frame_lists.next_chunk, first_chunk);
  frame_lists.chunk =
      static_cast<std::byte*>(::operator new(size, std::align_val_t(std::min(size, huge_page))));
  frame_lists.chunk_end = frame_lists.chunk + size;
  if (size == huge_page) madvise(frame_lists.chunk, size, MADV_HUGEPAGE);  // It may say no.
  frame_lists.next_chunk = std::min(2 * size, huge_page);
}

bool take_from_estate(std::size_t size_class) {
  Estate& from = estate();
  const std::lock_guard lock(from.mutex);
  frame_lists.heads[size_class] = std::exchange(from.lists.heads[size_class], nullptr);
  return frame_lists.heads[size_class] != nullptr;
}

}  // namespace

constinit thread_local FrameLists frame_lists;

void* cut_frame(std::size_t size_class) {
  static constinit thread_local bool has_inherited = false;
  if (!has_inherited) {
    has_inherited = true;  // Before, as pieces that other threads freed here go to the estate with the rest.
    FrameLists freed_here = frame_lists;
    static thread_local const Inheritance inheritance;
    for (std::size_t i = 0; i < frame_classes; ++i)
      while (FramePiece* const piece = freed_here.heads[i]) {
        freed_here.heads[i] = piece->next;
        piece->next = std::exchange(frame_lists.heads[i], piece);
      }
    return allocate_frame((size_class + 1) * frame_step);
  }
  const std::size_t size = (size_class + 1) * frame_step;
  while (static_cast<std::size_t>(frame_lists.chunk_end - frame_lists.chunk) < size) {
    if (take_from_estate(size_class)) return allocate_frame(size);
    new_chunk();
  }
  return std::exchange(frame_lists.chunk, frame_lists.chunk + size);
}

}  // namespace detail

ForeignFrames::ForeignFrames() noexcept : own_heads_(std::exchange(detail::frame_lists.heads, {})) {}

ForeignFrames::~ForeignFrames() {
  const auto freed = std::exchange(detail::frame_lists.heads, own_heads_);
  detail::Estate& to = detail::estate();
  const std::lock_guard lock(to.mutex);
  for (std::size_t i = 0; i < freed.size(); ++i)
    for (detail::FramePiece* piece = freed[i]; piece != nullptr;) {
      detail::FramePiece* const next = std::exchange(piece->next, to.lists.heads[i]);
      to.lists.heads[i] = std::exchange(piece, next);
    }
}

}  // namespace gather::async

#endif
