#include "core/net/curl_memory.hpp"

#include "core/net/curl.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

using gather::net::curl;
using gather::net::curl_memory;
using gather::net::PiecePool;

namespace {

bool holds(const void* piece, std::size_t size, char byte) {
  const auto* const begin = static_cast<const char*>(piece);
  return std::all_of(begin, begin + size, [byte](char c) { return c == byte; });
}

}  // namespace

TEST_CASE("a piece is given out again, to the thread that the pool is for", "[net][curl_memory]") {
  PiecePool pool;
  const PiecePool::Use use(pool);
  for (const std::size_t size : {std::size_t{1}, std::size_t{40}, std::size_t{4096}, std::size_t{102'401}}) {
    void* const piece = pool.allocate(size);
    pool.release(piece);
    CHECK(pool.allocate(size) == piece);
    void* const another = pool.allocate(size);
    CHECK(another != piece);
    pool.release(piece);
    pool.release(another);
  }
}

TEST_CASE("pieces of every size are apart, aligned, and as large as was asked", "[net][curl_memory]") {
  PiecePool pool;
  const bool used = GENERATE(true, false);
  const auto use = used ? std::make_unique<PiecePool::Use>(pool) : nullptr;
  std::vector<std::pair<void*, std::size_t>> pieces;
  for (std::size_t size = 0; size < 6000; size += 37) {
    void* const piece = pool.allocate(size);
    std::memset(piece, static_cast<int>(size % 100), size);
    pieces.emplace_back(piece, size);
  }
  bool all_right = true;
  for (const auto& [piece, size] : pieces)
    all_right = all_right && reinterpret_cast<std::uintptr_t>(piece) % alignof(std::max_align_t) == 0 &&
                holds(piece, size, static_cast<char>(size % 100));
  CHECK(all_right);
  for (const auto& [piece, size] : pieces) pool.release(piece);
  void* const cleared = pool.allocate_cleared(3700);
  CHECK(holds(cleared, 3700, 0));
  pool.release(cleared);
  pool.release(nullptr);
}

TEST_CASE("a piece that grows keeps its bytes", "[net][curl_memory]") {
  PiecePool pool;
  const PiecePool::Use use(pool);
  void* piece = pool.reallocate(nullptr, 5);
  std::memset(piece, 'x', 5);
  for (const std::size_t size : {std::size_t{30}, std::size_t{33}, std::size_t{5000}, std::size_t{200'000}}) {
    piece = pool.reallocate(piece, size);
    CHECK(holds(piece, 5, 'x'));
  }
  CHECK(pool.reallocate(piece, 3) == piece);
  CHECK(pool.allocate(std::numeric_limits<std::size_t>::max()) == nullptr);
  CHECK(pool.reallocate(piece, std::numeric_limits<std::size_t>::max() - 8) == nullptr);
  CHECK(holds(piece, 3, 'x'));
  pool.release(piece);
}

TEST_CASE("what another thread frees comes back to the thread that the pool is for", "[net][curl_memory]") {
  PiecePool pool;
  const PiecePool::Use use(pool);
  void* const piece = pool.allocate(100);
  std::thread([&] {
    const PiecePool::Use too_late(pool);
    void* const own = pool.allocate(100);
    pool.release(piece);
    pool.release(own);
  }).join();
  CHECK(pool.allocate(100) == piece);
}

TEST_CASE("the next thread gets the pieces of one that is through", "[net][curl_memory]") {
  PiecePool pool;
  void* first = nullptr;
  void* second = nullptr;
  for (void** piece : {&first, &second})
    std::thread([&] {
      const PiecePool::Use outer(pool);
      {
        const PiecePool::Use inner(pool);
      }
      *piece = pool.allocate(64);
      pool.release(*piece);
    }).join();
  CHECK(first == second);
}

TEST_CASE("threads free each other's pieces", "[net][curl_memory]") {
  PiecePool pool;
  const PiecePool::Use use(pool);
  constexpr int rounds = 2000;
  std::vector<std::vector<void*>> handed_over(3);
  for (int turn = 0; turn < 3; ++turn) {
    for (auto& pieces : handed_over)
      for (int i = 0; i < rounds; ++i) pieces.push_back(pool.allocate(static_cast<std::size_t>(i % 300)));
    std::vector<std::thread> threads;
    for (auto& pieces : handed_over)
      threads.emplace_back([&pool, &pieces] {
        for (void* const piece : pieces) pool.release(piece);
      });
    std::vector<void*> own;
    for (int i = 0; i < rounds; ++i) {
      own.push_back(pool.allocate(static_cast<std::size_t>(i % 300) + 1));
      std::memset(own.back(), 'o', static_cast<std::size_t>(i % 300) + 1);
    }
    for (std::thread& thread : threads) thread.join();
    bool all_right = true;
    for (int i = 0; i < rounds; ++i)
      all_right =
          all_right && holds(own[static_cast<std::size_t>(i)], static_cast<std::size_t>(i % 300) + 1, 'o');
    CHECK(all_right);
    for (void* const piece : own) pool.release(piece);
    for (auto& pieces : handed_over) pieces.clear();
  }
}

#if !defined(__has_feature) || !__has_feature(address_sanitizer)
TEST_CASE("libcurl uses the pool", "[net][curl_memory]") {
  const auto& api = curl();
  const PiecePool::Use use(curl_memory.pool);
  curl_slist* const list = api.slist_append(nullptr, "x");
  REQUIRE(list != nullptr);
  api.slist_free_all(list);
  void* const again = curl_memory.pool.allocate(sizeof(curl_slist));
  CHECK(again == list);
  curl_memory.pool.release(again);
}
#endif
