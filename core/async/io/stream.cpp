#include "core/async/io/stream.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/io/connection.hpp"
#include "core/async/task/error.hpp"
#include "core/base/error.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

namespace gather::async {

StreamError::StreamError(std::string_view doing, int code)
    : std::runtime_error(fmt::format("{}: {}", doing, system_error_text(code))), code_(code) {}

bool ReadOp::await_ready() {
  if (connection_.has_reader()) throw InvalidState("another task is reading from this stream");
  return enough();
}

void ReadOp::begin() { connection_.start_read(*this); }

Op::Abort ReadOp::abort() noexcept {
  connection_.forget(*this);
  return Abort::detached;
}

void ReadOp::finish() {
  connection_.forget(*this);
  leave();
}

void ReadOp::check_error() const {
  if (connection_.end() != 0 && connection_.end() != UV_EOF) throw StreamError("read", -connection_.end());
}

std::string ReadOp::take(std::size_t most) { return connection_.bytes().take(most); }

std::string_view ReadOp::buffered() const noexcept { return connection_.bytes().view(); }

bool ReadOp::at_end() const noexcept { return connection_.end() != 0; }

std::string Stream::ReadSome::await_resume() {
  finish();
  if (buffered().empty()) check_error();
  return take(most_);
}

std::string Stream::ReadExactly::await_resume() {
  finish();
  if (buffered().size() >= count_) return take(count_);
  check_error();
  throw IncompleteRead(take());
}

bool Stream::ReadUntil::enough() noexcept {
  assert(!delimiter_.empty());
  const std::string_view bytes = buffered();
  found_ = bytes.find(delimiter_, searched_);
  if (found_ != std::string_view::npos) return true;
  searched_ = bytes.size() < delimiter_.size() ? 0 : bytes.size() - delimiter_.size() + 1;
  return searched_ > limit_ || at_end();
}

std::string Stream::ReadUntil::await_resume() {
  finish();
  if (found_ <= limit_) return take(found_ + delimiter_.size());
  if (found_ != std::string_view::npos || searched_ > limit_) throw LimitOverrun(std::string(buffered()));
  check_error();
  throw IncompleteRead(take());
}

// Most writes fit into the kernel's buffer: no request, no copy, no trip through the loop.
bool Stream::Write::await_ready() noexcept {
  if (bytes_.empty()) return true;
  if (connection_.is_closed()) {
    error_ = UV_ECANCELED;
    return true;
  }
  const uv_buf_t buffer = buffer_of(const_cast<char*>(bytes_.data()), bytes_.size());
  const int written = uv_try_write(connection_.uv(), &buffer, 1);
  if (written > 0)
    bytes_.remove_prefix(static_cast<std::size_t>(written));
  else if (written != UV_EAGAIN)
    error_ = written;
  return bytes_.empty() || error_ != 0;
}

void Stream::Write::submit() {
  const int error = start_request<uv_write_t>(*this, std::string(bytes_), [&](auto& block) {
    const uv_buf_t buffer = buffer_of(block.bytes.data(), block.bytes.size());
    return uv_write(&block.uv, connection_.uv(), &buffer, 1, &block.done);
  });
  if (error != 0) ended(error);
}

void Stream::Write::await_resume() {
  leave();
  const int error = error_ != 0 ? error_ : status();
  if (error != 0) throw StreamError("write", -error);
}

void Stream::Shutdown::submit() {
  if (connection_.is_closed()) {
    ended(UV_ECANCELED);
    return;
  }
  const int error = start_request<uv_shutdown_t>(
      *this, {}, [&](auto& block) { return uv_shutdown(&block.uv, connection_.uv(), &block.done); });
  if (error != 0) ended(error);
}

void Stream::Shutdown::await_resume() {
  leave();
  if (status() != 0) throw StreamError("shutdown", -status());
}

Stream::Stream(std::unique_ptr<Connection> connection) noexcept : connection_(std::move(connection)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Stream::ReadSome Stream::read_some(std::size_t most) noexcept { return {*connection_, most}; }
Stream::ReadExactly Stream::read_exactly(std::size_t count) noexcept { return {*connection_, count}; }
Stream::ReadUntil Stream::read_until(std::string_view delimiter, std::size_t limit) noexcept {
  return {*connection_, delimiter, limit};
}
Stream::Write Stream::write(std::string_view bytes) noexcept { return {*connection_, bytes}; }
Stream::Shutdown Stream::shutdown() noexcept { return Shutdown(*connection_); }
void Stream::close() noexcept { connection_->close(); }
bool Stream::is_closed() const noexcept { return connection_->is_closed(); }
bool Stream::at_end() const noexcept { return connection_->end() != 0; }

namespace {

class Connect final : public RequestOp {
 public:
  Connect(Connection& connection, const sockaddr_storage& address) noexcept
      : connection_(connection), address_(address) {}
  bool await_ready() const noexcept { return false; }
  /// libuv's error, or 0.
  int await_resume() {
    leave();
    return status();
  }

 private:
  void submit() override {
    const int error = start_request<uv_connect_t>(*this, {}, [&](auto& block) {
      return uv_tcp_connect(&block.uv, connection_.tcp(), reinterpret_cast<const sockaddr*>(&address_),
                            &block.done);
    });
    if (error != 0) ended(error);
  }

  Connection& connection_;
  const sockaddr_storage& address_;
};

}  // namespace

Co<Stream> open_connection(std::string host, std::uint16_t port) {
  const sockaddr_storage address = numeric_address(host, port);
  auto connection = std::make_unique<Connection>((co_await this_task()).loop(), Transport::tcp);
  if (const int error = co_await Connect(*connection, address); error != 0)
    throw StreamError("can't connect to " + endpoint_text(host, port), -error);
  uv_tcp_nodelay(connection->tcp(), 1);
  co_return Stream(std::move(connection));
}

Stream open_pipe(Loop& loop, int descriptor) try {
  // libuv takes anything, and aborts the process when the kernel then refuses to watch it.
  struct stat about{};
  if (fstat(descriptor, &about) != 0) throw StreamError("open a pipe", errno);
  if (!S_ISFIFO(about.st_mode) && !S_ISSOCK(about.st_mode)) throw StreamError("open a pipe", ENOTSUP);
  auto connection = std::make_unique<Connection>(loop, Transport::pipe);
  if (const int error = uv_pipe_open(connection->pipe(), descriptor); error != 0)
    throw StreamError("open a pipe", -error);
  return Stream(std::move(connection));
} catch (...) {
  close(descriptor);
  throw;
}

}  // namespace gather::async
