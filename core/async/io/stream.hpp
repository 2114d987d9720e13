/// Streams: asyncio's StreamReader and StreamWriter in one, over TCP, Unix sockets and pipes. Knows nothing
/// of what the bytes mean.
#pragma once

#include "core/async/loop/request.hpp"
#include "core/async/task/co.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gather::async {

class Connection;
class Loop;

/// A connection could not be made, or broke: "read: Connection reset by peer".
class StreamError : public std::runtime_error {
 public:
  /// `code` is an errno value: ECONNRESET, EPIPE, ECONNREFUSED, …; ECANCELED for what our own close() ended.
  StreamError(std::string_view doing, int code);

  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// The stream ended before all that was asked for had come.
class IncompleteRead : public std::runtime_error {
 public:
  explicit IncompleteRead(std::string partial)
      : std::runtime_error("the stream ended too early"), partial_(std::move(partial)) {}

  /// What had come; it is no longer in the stream.
  const std::string& partial() const noexcept { return partial_; }

 private:
  std::string partial_;
};

/// No delimiter within the limit.
class LimitOverrun : public std::runtime_error {
 public:
  explicit LimitOverrun(std::string partial)
      : std::runtime_error("no delimiter within the limit"), partial_(std::move(partial)) {}

  /// A copy of what had come; as in asyncio it is still in the stream, for a read of another kind.
  const std::string& partial() const noexcept { return partial_; }

 private:
  std::string partial_;
};

/// Waits until enough bytes are there; base of the reads.
class ReadOp : public Op {
 public:
  /// Throws InvalidState if another task is reading from the stream.
  bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }

 protected:
  explicit ReadOp(Connection& connection) noexcept : connection_(connection) {}
  ~ReadOp() = default;

  /// Gives up the place as the reader; throws Cancelled if due.
  void finish();
  /// Throws the error that ended the stream, if it was one.
  void check_error() const;
  /// What is there, taken out.
  std::string take(std::size_t most = std::numeric_limits<std::size_t>::max());
  std::string_view buffered() const noexcept;
  /// Nothing more will come.
  bool at_end() const noexcept;

 private:
  friend class Connection;
  virtual bool enough() noexcept = 0;
  void begin();
  bool waiting() const noexcept { return parked(); }
  void satisfied() noexcept { complete(); }
  Abort abort() noexcept final;

  Connection& connection_;
};

/// One connection, both ways; an end of a pipe goes one way, and the other fails at once. One task may read
/// while others write. Nagle's delay is off.
///
/// Once read from, it reads ahead: at most 128 KiB, unless a read asks for more. It must outlive
/// those who wait in it, also after close(). Moving it is fine at any time.
///
/// SIGPIPE is ignored in the whole process from the first stream on, unless it is handled already; a program
/// started with its default action back needs to say so.
class Stream {
 public:
  /// For the files that make connections.
  explicit Stream(std::unique_ptr<Connection> connection) noexcept;
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  /// As close().
  ~Stream();

  class ReadSome;
  class ReadExactly;
  class ReadUntil;
  class Write;
  class Shutdown;

  /// Resumes with at least one byte and at most `most`, or with none at the end of the stream. At once, if
  /// bytes are there. Throws StreamError, after all bytes before the error were read. A cancelled read loses
  /// nothing.
  ReadSome read_some(std::size_t most = 64 * 1024) noexcept;

  /// Resumes with exactly `count` bytes. Throws IncompleteRead at the end of the stream, or as read_some.
  ReadExactly read_exactly(std::size_t count) noexcept;

  /// Resumes with everything up to and including the first `delimiter`. Throws IncompleteRead at the end of
  /// the stream, and LimitOverrun if more than `limit` bytes come before the delimiter. `delimiter` is not
  /// copied. Requires: it is not empty.
  ReadUntil read_until(std::string_view delimiter, std::size_t limit = 64 * 1024) noexcept;

  /// Resumes when the kernel has taken all of `bytes`; at once as a rule, later when the peer reads more
  /// slowly than we write. So there is no buffer to drain, and close() loses nothing that was written
  /// (ours: asyncio's write returns at once, and drain() waits for its buffer). Bytes of several writers
  /// go out in the order of their calls. Throws StreamError.
  ///
  /// After a cancel some of the bytes have gone, and what libuv had queued still goes until the stream is
  /// closed; `bytes` itself is needed only until the await ends.
  Write write(std::string_view bytes) noexcept;

  /// Sends the end of our side, after all that was written. The peer reads to its end; we still read.
  Shutdown shutdown() noexcept;

  /// Closes both ways; pending reads and writes fail with StreamError ECANCELED. Can be repeated.
  void close() noexcept;
  bool is_closed() const noexcept;

  /// Whether the peer has sent its end, or the connection broke; seen once the stream has been read from.
  bool at_end() const noexcept;

 private:
  std::unique_ptr<Connection> connection_;
};

class Stream::ReadSome final : public ReadOp {
 public:
  ReadSome(Connection& connection, std::size_t most) noexcept : ReadOp(connection), most_(most) {}
  std::string await_resume();

 private:
  bool enough() noexcept override { return !buffered().empty() || at_end() || most_ == 0; }
  std::size_t most_;
};

class Stream::ReadExactly final : public ReadOp {
 public:
  ReadExactly(Connection& connection, std::size_t count) noexcept : ReadOp(connection), count_(count) {}
  std::string await_resume();

 private:
  bool enough() noexcept override { return buffered().size() >= count_ || at_end(); }
  std::size_t count_;
};

class Stream::ReadUntil final : public ReadOp {
 public:
  ReadUntil(Connection& connection, std::string_view delimiter, std::size_t limit) noexcept
      : ReadOp(connection), delimiter_(delimiter), limit_(limit) {}
  std::string await_resume();

 private:
  bool enough() noexcept override;
  std::string_view delimiter_;
  std::size_t limit_;
  std::size_t searched_ = 0;  // No delimiter begins before it.
  std::size_t found_ = std::string_view::npos;
};

class Stream::Write final : public RequestOp {
 public:
  Write(Connection& connection, std::string_view bytes) noexcept : connection_(connection), bytes_(bytes) {}
  bool await_ready() noexcept;
  void await_resume();

 private:
  void submit() override;
  Connection& connection_;
  std::string_view bytes_;  // What has not gone yet.
  int error_ = 0;           // Of the attempt to write at once.
};

class Stream::Shutdown final : public RequestOp {
 public:
  explicit Shutdown(Connection& connection) noexcept : connection_(connection) {}
  bool await_ready() const noexcept { return false; }
  void await_resume();

 private:
  void submit() override;
  Connection& connection_;
};

/// Connects to a numeric IPv4 or IPv6 address. Throws StreamError, and std::invalid_argument for a host that
/// is no such address. A cancel gives the attempt up.
Co<Stream> open_connection(std::string host, std::uint16_t port);

/// A stream over a descriptor that is open already: an end of a pipe, or a connected Unix socket. It belongs
/// to the stream from the call on, also if that throws, and is made non-blocking (which an end that a child
/// inherits does not notice; a socket or file shared with one does). Throws StreamError if it is no such
/// thing.
Stream open_pipe(Loop& loop, int descriptor);

}  // namespace gather::async
