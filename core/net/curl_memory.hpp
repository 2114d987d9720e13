/// Memory for libcurl: pieces of a size are kept for the next request instead of going back to malloc. Only
/// files of core/net include this.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

namespace gather::net {

/// Pieces of memory by size, for one thread at a time; all others are served by malloc.
///
/// libcurl asks for some 50 pieces a request, and dozens of requests take turns, so that they are freed in
/// another order than they were asked for. malloc's cache of 7 pieces a size is soon full then, and a pair of
/// calls costs 240 instructions; here it is 40. The lists of async/task/frame.hpp would not do: libcurl frees
/// without a size, and the threads of its lookups make pieces that end here, where they would pile up.
///
/// Any thread may call any of these with a piece from any other. Pieces are kept, never returned to the
/// system; there are as many of a size as were used at once.
class PiecePool {
 public:
  constexpr PiecePool() = default;
  ~PiecePool();
  PiecePool(const PiecePool&) = delete;
  PiecePool& operator=(const PiecePool&) = delete;

  /// Like malloc: aligned for anything; null if memory is out.
  void* allocate(std::size_t size) noexcept;
  /// Like calloc of `size` bytes.
  void* allocate_cleared(std::size_t size) noexcept;
  /// Like realloc, but for a size of 0, which is an ordinary one.
  void* reallocate(void* piece, std::size_t size) noexcept;
  /// Like free.
  void release(void* piece) noexcept {
    if (piece != nullptr) put_back(piece);  // Most of what libcurl frees is null.
  }

  /// While it lives, and unless another thread was first, the pool is for the thread that made it. Several
  /// may live, one inside the other or not. Requires: destroyed on the thread that made it, before its pool.
  class Use {
   public:
    explicit Use(PiecePool& pool) noexcept;
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    PiecePool& pool_;
    bool counted_ = false;
  };

 private:
  static constexpr std::size_t step = 32;
  static constexpr std::size_t classes = 128;  // Up to 4 KB.
  // What is larger comes from malloc and goes back there, but for the buffers of transfers.
  static constexpr std::size_t least_large = 64 * 1024;
  static constexpr std::size_t most_large = 64;
  static constexpr std::size_t chunk_size = 64 * 1024;

  struct Piece;
  struct Chunk;

  bool is_ours() const noexcept;
  void put_back(void* piece) noexcept;
  Piece* take(std::size_t size_class) noexcept;
  Piece* cut(std::size_t size_class) noexcept;
  void collect_strays() noexcept;

  std::array<Piece*, classes> lists_{};
  Piece* large_ = nullptr;  // All of one size.
  std::size_t large_count_ = 0;
  std::byte* left_ = nullptr;  // Of the chunk that is being cut up.
  std::byte* end_ = nullptr;
  Chunk* chunks_ = nullptr;
  std::atomic<Piece*> strays_{nullptr};      // Freed by other threads.
  std::atomic<const void*> owner_{nullptr};  // Tells the thread that it is for; see own_mark().
  std::size_t uses_ = 0;                     // By that thread.
};

/// The pool that libcurl is told to use, of the whole program. Never destroyed: libcurl lives as long.
union CurlMemory {
  constexpr CurlMemory() : pool() {}
  ~CurlMemory() {}
  PiecePool pool;
};
extern constinit CurlMemory curl_memory;

}  // namespace gather::net
