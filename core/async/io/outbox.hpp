/// The sending side of a connection: what the kernel has not taken yet, in the order of the calls.
///
/// At rest it holds nothing, and a write is one system call: no request, no copy, no trip through the loop.
/// Only what does not fit waits. libuv then gets one chunk at a time, as a copy, which tells when the kernel
/// has room again; the rest is written straight from where it is. So a large `send` is never copied whole,
/// and its memory is free the moment it is cancelled.
#pragma once

#include "core/async/io/outgoing.hpp"
#include "core/async/sync/waiters.hpp"

#include <uv.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace gather::async {

class Outbox {
 public:
  /// asyncio's; a writer that drains after each write then keeps between a quarter of it and all of it
  /// queued.
  static constexpr std::size_t default_high = 64 * 1024;

  explicit Outbox(uv_stream_t& stream) noexcept : stream_(stream) { request_.data = this; }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Everything is with the kernel.
  bool idle() const noexcept { return first_ == nullptr && !busy_; }
  /// libuv's error that ended it, or 0. Then nothing is sent any more.
  int error() const noexcept { return error_; }

  /// Hands what the kernel takes to it now, and takes that off `bytes`. Requires: idle and no error.
  void offer(std::string_view& bytes) noexcept;
  /// Sends a copy of `bytes` as soon as it can. Requires: not empty, no error, and not idle or just offered.
  void add(std::string_view bytes);
  /// Sends `piece`, which lives until it is gone or removed. Requires: the same.
  void add(Outgoing& piece) noexcept;
  /// Takes it out; what is under way of it still goes.
  void remove(Outgoing& piece) noexcept;
  /// Drops everything, with `error` for those who wait; what libuv has goes on until the handle is closed.
  void drop(int error) noexcept;

  /// Bytes that add() has copied and the kernel has not taken.
  std::size_t size() const noexcept { return size_; }
  std::size_t high() const noexcept { return high_; }
  std::size_t low() const noexcept { return low_; }
  /// Requires: high >= low.
  void set_limits(std::size_t high, std::size_t low) noexcept;
  /// Was above the high mark and has not come down to the low one.
  bool over() const noexcept { return over_; }
  WaitQueue& drainers() noexcept { return drainers_; }

 protected:
  ~Outbox() = default;

 private:
  class Copied;

  // It has just become idle, or failed.
  virtual void emptied() noexcept = 0;

  static void sent(uv_write_t* request, int status) noexcept;
  void pump() noexcept;
  void start_request() noexcept;
  void advance(Outgoing& piece, std::size_t count) noexcept;
  void unlink(Outgoing& piece) noexcept;
  void append(Outgoing& piece) noexcept;
  void settle() noexcept;

  uv_stream_t& stream_;
  uv_write_t request_{};
  bool busy_ = false;  // libuv has request_, with chunk_.
  bool over_ = false;
  int error_ = 0;
  std::string chunk_;
  Outgoing* chunk_of_ = nullptr;  // The piece that chunk_ is the beginning of; null if that was removed.
  Outgoing* first_ = nullptr;
  Outgoing* last_ = nullptr;
  Copied* open_ = nullptr;  // The last piece, if it is a copy, which later ones are added to.
  std::size_t size_ = 0;
  std::size_t high_ = default_high;
  std::size_t low_ = default_high / 4;
  WaitQueue drainers_;
};

}  // namespace gather::async
