/// What libuv's callbacks know of a connection, whatever it goes over: the handle, the bytes read ahead and
/// who waits for them, the bytes to send, and how it closes. Behind Stream; for the files of io/ alone.
#pragma once

#include "core/async/io/address.hpp"
#include "core/async/io/byte_queue.hpp"
#include "core/async/io/outbox.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/loop/handle.hpp"
#include "core/async/loop/loop.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace gather::async {

/// Any of libuv's streams; all begin alike.
union AnyStream {
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;  // A Unix socket, or one end of a pipe.
};

/// What a connection goes over.
enum class Transport : std::uint8_t { tcp, pipe };

constexpr Transport transport_for(int family) noexcept {
  return family == AF_UNIX ? Transport::pipe : Transport::tcp;
}

/// Readies `handle`; libuv's error, or 0.
int init_stream(Loop& loop, Transport transport, AnyStream& handle) noexcept;
/// Gives it a descriptor; libuv's error, or 0. The descriptor belongs to the handle if it is 0.
int adopt_descriptor(Transport transport, AnyStream& handle, int descriptor) noexcept;

/// Who waits for a connection to be made. Only enqueues, or changes what it owns.
class ConnectHook {
 public:
  /// libuv's error, or 0. Not called once the connection was released.
  virtual void connected(int status) noexcept = 0;

 protected:
  ~ConnectHook() = default;
};

/// Who wants to know when a connection's handle is closed; called once, last.
class CloseHook {
 public:
  virtual void closed(Connection& connection) noexcept = 0;

 protected:
  ~CloseHook() = default;
};

/// The handle of a connection; a base of its own, as the outbox beside it is made with it.
struct ConnectionHandle {
  AnyStream handle_{};
};

/// A heap block that libuv may touch until the close callback, which frees it if its Stream has gone by then.
/// See ConnectionPtr. One that is released with bytes to send goes on by itself; the loop ends it when it is
/// closed itself.
class Connection final : private ConnectionHandle, private Outbox {
 public:
  /// Not connected yet. Throws StreamError.
  static ConnectionPtr make(Loop& loop, Transport transport);

  uv_stream_t* uv() noexcept { return &handle_.stream; }
  AnyStream& handle() noexcept { return handle_; }
  Transport transport() const noexcept { return transport_; }
  /// -1 once closed.
  int descriptor() const noexcept;
  Address peer() const noexcept { return peer_; }
  /// Asks for the peer's address, once it is connected, and sends small writes at once (TCP_NODELAY).
  void connected() noexcept;

  /// libuv's error, or 0 if the hook will be called.
  int connect(const Address& address, ConnectHook& hook) noexcept;

  // Reading.

  /// 0 while more may come; then UV_EOF, or the error that broke it.
  int end() const noexcept { return end_; }
  ByteQueue& bytes() noexcept { return bytes_; }
  std::size_t limit() const noexcept { return limit_; }
  void set_limit(std::size_t limit) noexcept { limit_ = limit; }
  bool has_reader() const noexcept { return reader_ != nullptr; }
  void start_read(ReadOp& reader) noexcept;
  void forget(const ReadOp& reader) noexcept;

  // Writing.

  Outbox& outbox() noexcept { return *this; }
  /// libuv's error that a write would meet, or 0. Throws InvalidState after write_eof().
  int write_error() const;
  void write(std::string_view bytes);
  void write_eof() noexcept;

  // Closing.

  bool closing() const noexcept { return closing_; }
  bool is_closed() const noexcept { return closed_; }
  WaitQueue& closers() noexcept { return closers_; }
  /// Once everything is sent.
  void close() noexcept;
  /// Now.
  void abort() noexcept;
  /// The Stream has gone.
  void release() noexcept;
  void set_close_hook(CloseHook* hook) noexcept { close_hook_ = hook; }

 private:
  class Lingering;

  Connection(Loop& loop, Transport transport) noexcept
      : Outbox(handle_.stream), loop_(loop), transport_(transport) {}
  ~Connection() = default;

  static void allocate(uv_handle_t* handle, std::size_t suggested, uv_buf_t* buffer) noexcept;
  static void have_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
  void finish_reading(int end) noexcept;
  void emptied() noexcept override;
  void send_eof() noexcept;
  void close_handle() noexcept;
  static void handle_closed(uv_handle_t* handle) noexcept;

  Loop& loop_;
  Transport transport_;
  bool reading_ = false;  // libuv reads; it stops at twice the limit when nobody waits.
  bool eof_wanted_ = false;
  bool eof_sent_ = false;
  bool closing_ = false;         // close() was called.
  bool handle_closing_ = false;  // uv_close was.
  bool closed_ = false;          // Its callback has come.
  bool released_ = false;        // No Stream any more: it frees itself.
  int end_ = 0;
  ByteQueue bytes_;
  std::size_t limit_ = default_limit;
  ReadOp* reader_ = nullptr;  // From its parking until it has run again, so that nobody takes its bytes.
  uv_connect_t connect_{};
  ConnectHook* connect_hook_ = nullptr;
  Address peer_;
  WaitQueue closers_;
  CloseHook* close_hook_ = nullptr;
  std::shared_ptr<Lingering> lingering_;  // Of the loop, while this is in its list.
  Connection* previous_ = nullptr;
  Connection* next_ = nullptr;
};

}  // namespace gather::async
