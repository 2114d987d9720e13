#include "core/async/io/connection.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <array>
#include <cassert>
#include <cstdlib>
#include <stdexcept>

namespace gather::async {
namespace {

// libuv writes with write(2), which raises SIGPIPE when the peer has gone; an error tells the same and kills
// nobody.
void ignore_broken_pipes() noexcept {
  static const bool done = [] {
    struct sigaction action{};
    if (sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
    return true;
  }();
  static_cast<void>(done);
}

// Where libuv reads to, between its allocation callback and its read callback, which follows at once. One for
// all connections of a thread: an idle connection holds no buffer.
std::array<char, 64 * 1024>& scratch() noexcept {
  static thread_local std::array<char, 64 * 1024> bytes;
  return bytes;
}

}  // namespace

sockaddr_storage numeric_address(const std::string& host, std::uint16_t port) {
  sockaddr_storage address{};
  if (uv_ip4_addr(host.c_str(), port, reinterpret_cast<sockaddr_in*>(&address)) != 0 &&
      uv_ip6_addr(host.c_str(), port, reinterpret_cast<sockaddr_in6*>(&address)) != 0)
    throw std::invalid_argument(
        fmt::format("{} is no numeric address such as 127.0.0.1 or ::1; names are not looked up here", host));
  return address;
}

std::string endpoint_text(const std::string& host, std::uint16_t port) {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

void CloseStream::operator()(AnyStream* handle) const noexcept {
  handle->stream.data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<AnyStream*>(closed); });
}

StreamHandle open_stream(Loop& loop, Transport transport, void* owner) {
  ignore_broken_pipes();
  auto block = std::make_unique<AnyStream>();
  uv_loop_t& uv = loop.poller().uv();
  const int error =
      transport == Transport::tcp ? uv_tcp_init(&uv, &block->tcp) : uv_pipe_init(&uv, &block->pipe, 0);
  if (error != 0) throw StreamError("open a socket", -error);
  block->stream.data = owner;
  return StreamHandle(block.release());
}

Connection::~Connection() { assert(reader_ == nullptr && "a stream must outlive those who wait in it"); }

void Connection::start_read(ReadOp& reader) noexcept {
  reader_ = &reader;
  if (reading_) return;
  if (const int error = uv_read_start(uv(), &allocate, &have_read); error != 0)
    finish(error);
  else
    reading_ = true;
}

void Connection::forget(const ReadOp& reader) noexcept {
  if (reader_ == &reader) reader_ = nullptr;
}

void Connection::allocate(uv_handle_t*, std::size_t, uv_buf_t* buffer) noexcept {
  *buffer = buffer_of(scratch().data(), scratch().size());
}

void Connection::have_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept {
  auto& self = *static_cast<Connection*>(stream->data);
  if (count < 0) {
    self.finish(static_cast<int>(count));
    return;
  }
  self.bytes_.append({buffer->base, static_cast<std::size_t>(count)});
  const bool wanted = self.reader_ != nullptr && self.reader_->waiting();
  if (wanted && self.reader_->enough()) {
    self.reader_->satisfied();
  } else if (!wanted && self.bytes_.size() >= read_ahead) {
    uv_read_stop(stream);
    self.reading_ = false;
  }
}

void Connection::finish(int end) noexcept {
  end_ = end;
  if (reading_) uv_read_stop(uv());
  reading_ = false;
  if (reader_ != nullptr && reader_->waiting()) reader_->satisfied();
}

void Connection::close() noexcept {
  if (!handle_) return;
  finish(end_ != 0 ? end_ : UV_ECANCELED);
  handle_
      .reset();  // Pending writes get UV_ECANCELED in their callbacks, which come before the block is freed.
}

}  // namespace gather::async
