#include "core/async/io/stream.hpp"

#include "core/async/io/connection.hpp"
#include "core/async/task/error.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace gather::async {

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

bool ReadOp::ended() const noexcept { return connection_.end() != 0; }

std::string Stream::Read::await_resume() {
  finish();
  if (most_ == 0) return {};
  if (all_ || buffered().empty()) check_error();
  return take(most_);
}

std::string Stream::ReadExactly::await_resume() {
  finish();
  if (buffered().size() >= count_) return take(count_);
  check_error();
  throw IncompleteRead(take(), count_);
}

bool Stream::ReadUntil::enough() noexcept {
  assert(!separator_.empty());
  const std::string_view bytes = buffered();
  found_ = bytes.find(separator_, searched_);
  if (found_ != std::string_view::npos) return true;
  searched_ = bytes.size() < separator_.size() ? 0 : bytes.size() - separator_.size() + 1;
  return searched_ > limit_ || ended();
}

LimitOverrun Stream::ReadUntil::overrun() {
  const bool found = found_ != std::string_view::npos;
  const std::size_t consumed = found ? found_ : searched_;
  if (!line_) return {std::string(buffered()), consumed};
  return {found ? take(found_ + separator_.size()) : take(), consumed};
}

std::string Stream::ReadUntil::await_resume() {
  finish();
  if (found_ <= limit_) return take(found_ + separator_.size());
  if (found_ != std::string_view::npos || searched_ > limit_) throw overrun();
  check_error();
  if (line_) return take();
  throw IncompleteRead(take());
}

Stream::Drain::Drain(Connection& connection) noexcept
    : WaitOp(connection.outbox().drainers()), connection_(connection) {}

bool Stream::Drain::await_ready() const noexcept { return !connection_.outbox().over(); }

void Stream::Drain::await_resume() {
  leave();
  if (const int error = connection_.outbox().error(); error != 0) throw StreamError("write", -error);
  if (connection_.closing() && connection_.outbox().idle()) throw StreamError("write", ECANCELED);
  const int end = connection_.end();
  if (end != 0 && end != UV_EOF && !connection_.closing()) throw StreamError("read", -end);
}

// Most writes fit into the kernel's buffer, and never park.
bool Stream::Send::await_ready() {
  error_ = connection_.write_error();
  if (error_ == 0 && connection_.outbox().idle() && !rest_.empty()) {
    connection_.outbox().offer(rest_);
    error_ = connection_.outbox().error();
  }
  return rest_.empty() || error_ != 0;
}

void Stream::Send::begin() noexcept { connection_.outbox().add(*this); }

void Stream::Send::gone(int error) noexcept {
  error_ = error;
  complete();
}

Op::Abort Stream::Send::abort() noexcept {
  connection_.outbox().remove(*this);
  return Abort::detached;
}

void Stream::Send::await_resume() {
  leave();
  if (error_ != 0) throw StreamError("write", -error_);
}

Stream::WaitClosed::WaitClosed(Connection& connection) noexcept
    : WaitOp(connection.closers()), connection_(connection) {}

bool Stream::WaitClosed::await_ready() const noexcept { return connection_.is_closed(); }

void Stream::WaitClosed::await_resume() {
  leave();
  const int error = connection_.outbox().error();
  if (error != 0 && error != UV_ECANCELED) throw StreamError("write", -error);
}

Stream::Stream(ConnectionPtr connection) noexcept : connection_(std::move(connection)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Stream::Read Stream::read(std::ptrdiff_t most) noexcept { return {*connection_, most}; }
Stream::ReadExactly Stream::readexactly(std::size_t count) noexcept { return {*connection_, count}; }
Stream::ReadUntil Stream::readline() noexcept { return {*connection_, "\n", limit(), true}; }
Stream::ReadUntil Stream::readuntil(std::string_view separator) noexcept {
  return readuntil(separator, limit());
}
Stream::ReadUntil Stream::readuntil(std::string_view separator, std::size_t limit) noexcept {
  return {*connection_, separator, limit, false};
}
bool Stream::at_eof() const noexcept { return connection_->end() != 0 && connection_->bytes().empty(); }
std::size_t Stream::limit() const noexcept { return connection_->limit(); }
void Stream::set_limit(std::size_t bytes) noexcept { connection_->set_limit(bytes); }

void Stream::write(std::string_view bytes) { connection_->write(bytes); }
Stream::Drain Stream::drain() noexcept { return Drain(*connection_); }
Stream::Send Stream::send(std::string_view bytes) noexcept { return {*connection_, bytes}; }
void Stream::write_eof() noexcept { connection_->write_eof(); }

void Stream::set_write_buffer_limits(std::size_t high, std::size_t low) {
  if (low > high) throw std::invalid_argument("the low mark of a write buffer is above its high mark");
  connection_->outbox().set_limits(high, low);
}

std::pair<std::size_t, std::size_t> Stream::get_write_buffer_limits() const noexcept {
  return {connection_->outbox().low(), connection_->outbox().high()};
}

std::size_t Stream::get_write_buffer_size() const noexcept { return connection_->outbox().size(); }

void Stream::close() noexcept { connection_->close(); }
void Stream::abort() noexcept { connection_->abort(); }
bool Stream::is_closing() const noexcept {
  return connection_->closing() || connection_->outbox().error() != 0;
}
Stream::WaitClosed Stream::wait_closed() noexcept { return WaitClosed(*connection_); }

Address Stream::peername() const noexcept { return connection_->peer(); }
Address Stream::sockname() const noexcept { return local_address(connection_->descriptor()); }
int Stream::fileno() const noexcept { return connection_->descriptor(); }

Stream open_pipe(Loop& loop, int descriptor) try {
  // libuv takes anything, and aborts the process when the kernel then refuses to watch it.
  struct stat about{};
  if (fstat(descriptor, &about) != 0) throw StreamError("open a pipe", errno);
  if (!S_ISFIFO(about.st_mode) && !S_ISSOCK(about.st_mode)) throw StreamError("open a pipe", ENOTSUP);
  ConnectionPtr connection = Connection::make(loop, Transport::pipe);
  if (const int error = adopt_descriptor(Transport::pipe, connection->handle(), descriptor); error != 0)
    throw StreamError("open a pipe", -error);
  connection->connected();
  return Stream(std::move(connection));
} catch (...) {
  close(descriptor);
  throw;
}

}  // namespace gather::async
