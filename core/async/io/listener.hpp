/// Sockets that listen, for Server; for the files of io/ alone.
#pragma once

#include "core/async/io/address.hpp"
#include "core/async/io/connection.hpp"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <utility>

namespace gather::async {

/// Clears the way back to the owner and closes; the close callback frees the block.
struct CloseStream {
  void operator()(AnyStream* handle) const noexcept;
};
using StreamHandle = std::unique_ptr<AnyStream, CloseStream>;

/// A socket that is bound.
class Listener {
 public:
  /// Binds a TCP socket. Throws StreamError.
  static Listener tcp(Loop& loop, const Address& address, bool reuse_port);
  /// Binds a Unix socket; one that is there already is removed first, in use or not, as asyncio does. With
  /// `cleanup_socket`, close() removes its file, if nobody has put another in its place.
  static Listener unix_socket(Loop& loop, const Address& address, bool cleanup_socket);

  uv_stream_t* uv() noexcept { return &handle_->stream; }
  const Address& address() const noexcept { return address_; }
  void close() noexcept;

 private:
  Listener(StreamHandle handle, const Address& address);

  StreamHandle handle_;
  Address address_;
  std::optional<std::pair<dev_t, ino_t>> file_;
};

}  // namespace gather::async
