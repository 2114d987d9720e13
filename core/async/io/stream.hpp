/// Streams: asyncio's StreamReader and StreamWriter in one, over TCP, Unix sockets and pipes. Knows nothing
/// of what the bytes mean. TLS is left out: it needs a library of its own, and this one needs libuv only.
#pragma once

#include "core/async/io/address.hpp"
#include "core/async/io/outgoing.hpp"
#include "core/async/io/stream_error.hpp"
#include "core/async/sync/waiters.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

namespace gather::async {

class Connection;
class Loop;

/// Hands a connection over to itself: it sends what it still has, closes, and frees itself.
struct ReleaseConnection {
  void operator()(Connection* connection) const noexcept;
};
using ConnectionPtr = std::unique_ptr<Connection, ReleaseConnection>;

/// asyncio's limit of readuntil and readline; a stream reads ahead up to twice its limit.
inline constexpr std::size_t default_limit = 64 * 1024;

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
  bool ended() const noexcept;

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
/// while others write. Nagle's delay is off. It must outlive those who wait in it. Moving it is fine at any
/// time.
///
/// Differences from asyncio: reading and writing are one class; a read that close() or abort() of our own
/// side ends throws StreamError ECANCELED, where asyncio makes it look like the end of the stream; send() is
/// new.
///
/// SIGPIPE is ignored in the whole process from the first stream on, unless it is handled already; a program
/// started with its default action back needs to say so.
class Stream {
 public:
  /// For the files that make connections.
  explicit Stream(ConnectionPtr connection) noexcept;
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  /// As close(): what was written still goes, in the background, as long as the loop lives.
  ~Stream();

  class Read;
  class ReadExactly;
  class ReadUntil;
  class Drain;
  class Send;
  class WaitClosed;

  // Reading. All of it can be cancelled and then loses no byte; what is there already never suspends. Each
  // throws StreamError for a connection that broke, after all that came before was read.

  /// Resumes with at least one byte and at most `most`; with none at the end of the stream. Negative, the
  /// default: with everything until the end.
  Read read(std::ptrdiff_t most = -1) noexcept;

  /// Resumes with a line, its "\n" included; at the end of the stream with what is left, perhaps nothing.
  /// Throws LimitOverrun for a line longer than the limit; the next call then goes on behind it, or behind
  /// what had come of it.
  ReadUntil readline() noexcept;

  /// Resumes with everything up to and including the first `separator`. Throws IncompleteRead at the end of
  /// the stream, and LimitOverrun if more bytes than the limit come before the separator. `separator` is not
  /// copied. Requires: it is not empty.
  ReadUntil readuntil(std::string_view separator = "\n") noexcept;
  /// With a limit for this call (ours: asyncio has one per stream).
  ReadUntil readuntil(std::string_view separator, std::size_t limit) noexcept;

  /// Resumes with exactly `count` bytes. Throws IncompleteRead at the end of the stream.
  ReadExactly readexactly(std::size_t count) noexcept;

  /// The peer has sent its end, or the connection broke, and all that came was read. Seen once the stream
  /// has been read from.
  bool at_eof() const noexcept;

  /// Of readline and readuntil, in bytes; half of what is read ahead. asyncio's open_connection takes it too.
  std::size_t limit() const noexcept;
  void set_limit(std::size_t bytes) noexcept;

  // Writing. Bytes of several writers go out in the order of their calls.

  /// Hands `bytes` to the kernel, and keeps a copy of what it does not take to send it later. Never waits and
  /// reports no error of the connection: drain() does both, and belongs after it wherever the amount is not
  /// small. What is written after an error or after close() is dropped. Throws InvalidState after
  /// write_eof().
  void write(std::string_view bytes);
  /// One write() of all of them.
  template <std::ranges::input_range Lines>
    requires std::convertible_to<std::ranges::range_reference_t<Lines>, std::string_view>
  void writelines(Lines&& lines) {
    std::string all;
    for (std::string_view line : lines) all += line;
    write(all);
  }

  /// Resumes once what was written and is not sent is down to the low mark; at once unless it had grown above
  /// the high one. Throws StreamError for a connection that broke, and after close() once that is through.
  Drain drain() noexcept;
  /// In bytes; 64 KiB and 16 KiB at first. `low` is a quarter of `high` if it is not given. Throws
  /// std::invalid_argument if it is the larger.
  void set_write_buffer_limits(std::size_t high, std::size_t low);
  void set_write_buffer_limits(std::size_t high) { set_write_buffer_limits(high, high / 4); }
  /// Low and high, as in asyncio.
  std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept;
  /// What was written and is not sent.
  std::size_t get_write_buffer_size() const noexcept;

  /// Writes and waits, without a copy (ours): resumes when the kernel has taken all of `bytes`, which is at
  /// once as a rule. `bytes` stays the caller's and is needed until the await ends. Throws StreamError, and
  /// InvalidState after write_eof(). After a cancel some of the bytes have gone, up to 64 KiB are going, and
  /// the rest will not.
  Send send(std::string_view bytes) noexcept;

  /// Sends the end of our side, after all that was written. The peer reads to its end; we still read. On an
  /// end of a pipe, which has no other way, it is close().
  void write_eof() noexcept;

  // Closing.

  /// Ends reading, sends what was written, in the background, and closes then. Can be repeated.
  void close() noexcept;
  /// Closes now; what was not sent is dropped, and a waiting send() throws StreamError ECANCELED.
  void abort() noexcept;
  /// close() or abort() was called, or writing has failed.
  bool is_closing() const noexcept;
  /// Resumes when it is closed, by whomever; at once if it is. Throws StreamError if the connection broke
  /// before all was sent. Waits for ever if nobody closes it.
  WaitClosed wait_closed() noexcept;

  // What it is: asyncio's get_extra_info.

  /// The other end; stays known when the stream is closed.
  Address peername() const noexcept;
  /// Our own end; none once closed.
  Address sockname() const noexcept;
  /// For setsockopt and the like; -1 once closed. It stays the stream's.
  int fileno() const noexcept;

 private:
  ConnectionPtr connection_;
};

class Stream::Read final : public ReadOp {
 public:
  Read(Connection& connection, std::ptrdiff_t most) noexcept
      : ReadOp(connection), most_(static_cast<std::size_t>(most)), all_(most < 0) {}
  std::string await_resume();

 private:
  bool enough() noexcept override { return ended() || most_ == 0 || (!all_ && !buffered().empty()); }
  std::size_t most_;
  bool all_;
};

class Stream::ReadExactly final : public ReadOp {
 public:
  ReadExactly(Connection& connection, std::size_t count) noexcept : ReadOp(connection), count_(count) {}
  std::string await_resume();

 private:
  bool enough() noexcept override { return buffered().size() >= count_ || ended(); }
  std::size_t count_;
};

class Stream::ReadUntil final : public ReadOp {
 public:
  ReadUntil(Connection& connection, std::string_view separator, std::size_t limit, bool line) noexcept
      : ReadOp(connection), separator_(separator), limit_(limit), line_(line) {}
  std::string await_resume();

 private:
  bool enough() noexcept override;
  LimitOverrun overrun();
  std::string_view separator_;
  std::size_t limit_;
  std::size_t searched_ = 0;  // No separator begins before it.
  std::size_t found_ = std::string_view::npos;
  bool line_;  // As readline.
};

class Stream::Drain final : public WaitOp {
 public:
  explicit Drain(Connection& connection) noexcept;
  bool await_ready() const noexcept;
  void await_resume();

 private:
  Connection& connection_;
};

class Stream::Send final : public Op, private Outgoing {
 public:
  Send(Connection& connection, std::string_view bytes) noexcept : Outgoing(bytes), connection_(connection) {}
  bool await_ready();
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    if (park(frame)) begin();
  }
  void await_resume();

 private:
  void begin() noexcept;
  void gone(int error) noexcept override;
  Abort abort() noexcept override;

  Connection& connection_;
  int error_ = 0;
};

class Stream::WaitClosed final : public WaitOp {
 public:
  explicit WaitClosed(Connection& connection) noexcept;
  bool await_ready() const noexcept;
  void await_resume();

 private:
  Connection& connection_;
};

/// A stream over a descriptor that is open already: an end of a pipe, or a connected Unix socket. It belongs
/// to the stream from the call on, also if that throws, and is made non-blocking, which a process that shares
/// it notices; the other end does not. Throws StreamError if it is no such thing.
Stream open_pipe(Loop& loop, int descriptor);

}  // namespace gather::async
