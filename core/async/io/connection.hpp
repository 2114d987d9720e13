/// What libuv's callbacks know of a TCP connection: the handle, the bytes read ahead, and who waits for them.
/// Behind Stream; included by stream.cpp and server.cpp alone.
#pragma once

#include "core/async/io/byte_queue.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/loop/handle.hpp"
#include "core/async/loop/loop.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace gather::async {

/// Throws std::invalid_argument if `host` is no numeric address.
sockaddr_storage numeric_address(const std::string& host, std::uint16_t port);

/// "127.0.0.1:80", "[::1]:80".
std::string endpoint_text(const std::string& host, std::uint16_t port);

/// An open TCP handle. Throws StreamError if there are no descriptors left.
Handle<uv_tcp_t> open_tcp(Loop& loop, void* owner);

class Connection {
 public:
  /// Not connected yet.
  explicit Connection(Loop& loop) : handle_(open_tcp(loop, this)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Null once closed.
  uv_tcp_t* tcp() const noexcept { return handle_.get(); }
  uv_stream_t* uv() const noexcept { return reinterpret_cast<uv_stream_t*>(handle_.get()); }

  /// 0 while more may come; then UV_EOF, or the error that broke it.
  int end() const noexcept { return end_; }
  ByteQueue& bytes() noexcept { return bytes_; }

  bool has_reader() const noexcept { return reader_ != nullptr; }
  void start_read(ReadOp& reader) noexcept;
  void forget(const ReadOp& reader) noexcept;

  void close() noexcept;

 private:
  // Twice the default limit of read_until, as in asyncio. A bound per idle connection, not a measured
  // optimum.
  static constexpr std::size_t read_ahead = 128 * 1024;

  static void allocate(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer) noexcept;
  static void have_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
  void finish(int end) noexcept;

  Handle<uv_tcp_t> handle_;
  ByteQueue bytes_;
  ReadOp* reader_ = nullptr;  // From its parking until it has run again, so that nobody takes its bytes.
  int end_ = 0;
  bool reading_ = false;  // libuv reads; it stops at read_ahead when nobody waits.
};

}  // namespace gather::async
