#include "core/async/task/frame.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <new>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define GATHER_PLAIN_FRAMES 1
#endif
#endif

namespace gather::async {

#ifdef GATHER_PLAIN_FRAMES

void* allocate_frame(std::size_t size) { return ::operator new(size); }
void free_frame(void* piece, std::size_t size) noexcept { ::operator delete(piece, size); }

#else

namespace {

constexpr std::size_t step = 16;
constexpr std::size_t classes = 128;  // Up to 2 KiB; larger frames are rare and go to malloc.

// Chunks double in size from the one to the other, so that a small program stays small. The last is the
// size of a huge page, which spares 512 page faults where the kernel gives one.
constexpr std::size_t first_chunk = std::size_t{32} << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;

struct Piece {
  Piece* next;
};

struct Lists {
  std::array<Piece*, classes> heads{};
  std::byte* chunk = nullptr;  // What is left of the chunk that is being cut up.
  std::byte* chunk_end = nullptr;
  std::size_t next_chunk = first_chunk;
};

// What threads that have ended left. Chunks are never given back: pieces of one may live on any thread, as
// coroutines are made on one and end on another.
struct Estate {
  std::mutex mutex;
  Lists lists;
};

Estate& estate() {
  static Estate* const one = new Estate;  // Outlives every static that may own a frame.
  return *one;
}

// Usable until the thread has gone, whatever has been destroyed before; so it has no destructor.
constinit thread_local Lists lists;
constinit thread_local bool is_heir = false;

struct Will {
  Will() {
    Estate& from = estate();
    const std::lock_guard lock(from.mutex);
    lists = std::exchange(from.lists, Lists());
  }
  Will(const Will&) = delete;
  Will& operator=(const Will&) = delete;
  ~Will() {
    Estate& to = estate();
    const std::lock_guard lock(to.mutex);
    for (std::size_t i = 0; i < classes; ++i) {
      Piece** end = &lists.heads[i];
      while (*end != nullptr) end = &(*end)->next;
      *end = std::exchange(to.lists.heads[i], lists.heads[i]);
    }
    if (lists.chunk_end - lists.chunk > to.lists.chunk_end - to.lists.chunk) {
      to.lists.chunk = lists.chunk;
      to.lists.chunk_end = lists.chunk_end;
    }
    to.lists.next_chunk = std::max(to.lists.next_chunk, lists.next_chunk);
    lists = Lists();
  }
};

void new_chunk() {
  if (!is_heir) {
    is_heir = true;
    static thread_local const Will will;
    static_cast<void>(will);
    if (lists.chunk != nullptr) return;
  }
  const std::size_t size = lists.next_chunk;
  lists.chunk = static_cast<std::byte*>(::operator new(size, std::align_val_t(std::min(size, huge_page))));
  lists.chunk_end = lists.chunk + size;
  if (size == huge_page) madvise(lists.chunk, size, MADV_HUGEPAGE);  // It may say no.
  lists.next_chunk = std::min(2 * size, huge_page);
}

void* cut(std::size_t size_class) {
  const std::size_t size = (size_class + 1) * step;
  while (static_cast<std::size_t>(lists.chunk_end - lists.chunk) < size) new_chunk();
  return std::exchange(lists.chunk, lists.chunk + size);
}

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t size_class = (size - 1) / step;
  if (size_class >= classes) return ::operator new(size);
  Piece*& head = lists.heads[size_class];
  return head != nullptr ? std::exchange(head, head->next) : cut(size_class);
}

void free_frame(void* piece, std::size_t size) noexcept {
  const std::size_t size_class = (size - 1) / step;
  if (size_class < classes)
    lists.heads[size_class] = ::new (piece) Piece{lists.heads[size_class]};
  else
    ::operator delete(piece);
}

#endif

}  // namespace gather::async
