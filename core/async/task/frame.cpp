#include "core/async/task/frame.hpp"

#include <array>
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

constexpr std::size_t step = 32;
constexpr std::size_t classes = 64;  // Up to 2 KiB; larger frames are rare and go to malloc.

struct Piece {
  Piece* next;
};

class FreeLists {
 public:
  FreeLists() = default;
  FreeLists(const FreeLists&) = delete;
  FreeLists& operator=(const FreeLists&) = delete;
  ~FreeLists() {
    for (Piece* head : heads_)
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
  }

  void* take(std::size_t size_class) {
    Piece*& head = heads_[size_class];
    if (head == nullptr) return ::operator new((size_class + 1) * step);
    return std::exchange(head, head->next);
  }

  void give(void* piece, std::size_t size_class) noexcept {
    heads_[size_class] = ::new (piece) Piece{heads_[size_class]};
  }

 private:
  std::array<Piece*, classes> heads_{};
};

thread_local FreeLists free_lists;

}  // namespace

void* allocate_frame(std::size_t size) {
  const std::size_t size_class = (size - 1) / step;
  return size_class < classes ? free_lists.take(size_class) : ::operator new(size);
}

void free_frame(void* piece, std::size_t size) noexcept {
  const std::size_t size_class = (size - 1) / step;
  if (size_class < classes)
    free_lists.give(piece, size_class);
  else
    ::operator delete(piece);
}

#endif

}  // namespace gather::async
