#include "core/net/curl_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace gather::net {
namespace {

/// An address that no other thread which lives has.
const void* own_mark() noexcept {
  static constinit thread_local const char mark = 0;
  return &mark;
}

}  // namespace

/// What stands before the bytes that are given out.
struct alignas(std::max_align_t) PiecePool::Piece {
  std::size_t size;  // Of the bytes behind it.
  bool pooled;       // Else it came from malloc.

  void* bytes() noexcept { return this + 1; }
  // The next one of its list, in place of the bytes while nobody has them.
  Piece* next() noexcept { return *static_cast<Piece**>(bytes()); }
  Piece* put_before(Piece* next) noexcept {
    ::new (bytes()) Piece* {next};
    return this;
  }
  static Piece* of(void* bytes) noexcept { return static_cast<Piece*>(bytes) - 1; }
  std::size_t size_class() const noexcept { return size / step - 1; }
};

struct alignas(std::max_align_t) PiecePool::Chunk {
  Chunk* next;
};

PiecePool::~PiecePool() {
  while (large_ != nullptr) std::free(std::exchange(large_, large_->next()));
  while (chunks_ != nullptr) std::free(std::exchange(chunks_, chunks_->next));
}

bool PiecePool::is_ours() const noexcept { return owner_.load(std::memory_order_relaxed) == own_mark(); }

void* PiecePool::allocate(std::size_t size) noexcept {
  const std::size_t size_class = (std::max<std::size_t>(size, 1) - 1) / step;
  if (size_class < classes && is_ours()) {
    Piece* const piece = take(size_class);
    return piece == nullptr ? nullptr : piece->bytes();
  }
  if (size >= least_large && is_ours() && large_ != nullptr && large_->size == size) {
    --large_count_;
    return std::exchange(large_, large_->next())->bytes();
  }
  if (size > SIZE_MAX - sizeof(Piece)) return nullptr;
  void* const memory = std::malloc(sizeof(Piece) + size);
  return memory == nullptr ? nullptr : (::new (memory) Piece{size, false})->bytes();
}

void* PiecePool::allocate_cleared(std::size_t size) noexcept {
  void* const bytes = allocate(size);
  return bytes == nullptr ? nullptr : std::memset(bytes, 0, size);
}

void* PiecePool::reallocate(void* bytes, std::size_t size) noexcept {
  if (bytes == nullptr) return allocate(size);
  Piece* const piece = Piece::of(bytes);
  if (size <= piece->size) return bytes;
  void* const larger = allocate(size);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, bytes, piece->size);
  release(bytes);
  return larger;
}

void PiecePool::put_back(void* bytes) noexcept {
  Piece* const piece = Piece::of(bytes);
  if (!piece->pooled) {
    const bool keep = piece->size >= least_large && is_ours() && large_count_ < most_large &&
                      (large_ == nullptr || large_->size == piece->size);
    if (!keep) return std::free(piece);
    large_ = piece->put_before(large_);
    ++large_count_;
  } else if (is_ours()) {
    Piece*& first = lists_[piece->size_class()];
    first = piece->put_before(first);
  } else {
    Piece* first = strays_.load(std::memory_order_relaxed);
    while (!strays_.compare_exchange_weak(first, piece->put_before(first), std::memory_order_release)) {
    }
  }
}

PiecePool::Piece* PiecePool::take(std::size_t size_class) noexcept {
  Piece*& first = lists_[size_class];
  if (first == nullptr) collect_strays();
  return first == nullptr ? cut(size_class) : std::exchange(first, first->next());
}

void PiecePool::collect_strays() noexcept {
  Piece* piece = strays_.exchange(nullptr, std::memory_order_acquire);
  while (piece != nullptr) {
    Piece* const next = piece->next();
    Piece*& first = lists_[piece->size_class()];
    first = piece->put_before(first);
    piece = next;
  }
}

PiecePool::Piece* PiecePool::cut(std::size_t size_class) noexcept {
  const std::size_t size = (size_class + 1) * step;
  const std::size_t whole = sizeof(Piece) + size;
  if (static_cast<std::size_t>(end_ - left_) < whole) {
    void* const memory = std::malloc(chunk_size);
    if (memory == nullptr) return nullptr;
    chunks_ = ::new (memory) Chunk{chunks_};
    left_ = static_cast<std::byte*>(memory) + sizeof(Chunk);
    end_ = static_cast<std::byte*>(memory) + chunk_size;
  }
  return ::new (std::exchange(left_, left_ + whole)) Piece{size, true};
}

PiecePool::Use::Use(PiecePool& pool) noexcept : pool_(pool) {
  const void* nobody = nullptr;
  counted_ =
      pool.is_ours() || pool.owner_.compare_exchange_strong(nobody, own_mark(), std::memory_order_acquire);
  if (counted_) ++pool.uses_;
}

PiecePool::Use::~Use() {
  if (counted_ && --pool_.uses_ == 0) pool_.owner_.store(nullptr, std::memory_order_release);
}

constinit CurlMemory curl_memory;

}  // namespace gather::net
