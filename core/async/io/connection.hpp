/// What libuv's callbacks know of a connection, whatever it goes over: the handle, the bytes read ahead, and
/// who waits for them. Behind Stream; included by stream.cpp and server.cpp alone.
#pragma once

#include "core/async/io/byte_queue.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/loop/handle.hpp"
#include "core/async/loop/loop.hpp"

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>

namespace gather::async {

/// Throws std::invalid_argument if `host` is no numeric address.
sockaddr_storage numeric_address(const std::string& host, std::uint16_t port);

/// "127.0.0.1:80", "[::1]:80".
std::string endpoint_text(const std::string& host, std::uint16_t port);

/// Any of libuv's streams; all begin alike.
union AnyStream {
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;  // A Unix socket, or one end of a pipe.
};

/// As CloseHandle, for a block that is an AnyStream.
struct CloseStream {
  void operator()(AnyStream* handle) const noexcept;
};
using StreamHandle = std::unique_ptr<AnyStream, CloseStream>;

/// What a connection goes over.
enum class Transport : std::uint8_t { tcp, pipe };

/// Not connected yet. Throws StreamError if there are no descriptors left.
StreamHandle open_stream(Loop& loop, Transport transport, void* owner);

class Connection {
 public:
  /// Not connected yet.
  Connection(Loop& loop, Transport transport) : handle_(open_stream(loop, transport, this)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_closed() const noexcept { return handle_ == nullptr; }
  /// Null once closed. The other two require that it is one.
  uv_stream_t* uv() const noexcept { return &handle_->stream; }
  uv_tcp_t* tcp() const noexcept { return &handle_->tcp; }
  uv_pipe_t* pipe() const noexcept { return &handle_->pipe; }

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

  StreamHandle handle_;
  ByteQueue bytes_;
  ReadOp* reader_ = nullptr;  // From its parking until it has run again, so that nobody takes its bytes.
  int end_ = 0;
  bool reading_ = false;  // libuv reads; it stops at read_ahead when nobody waits.
};

}  // namespace gather::async
