#include "core/async/io/connection.hpp"

#include "core/async/task/error.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

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

// Connections without a Stream that still send. The loop's; it dies with the loop, and takes them with it.
class Connection::Lingering {
 public:
  explicit Lingering(Loop&) noexcept {}
  Lingering(const Lingering&) = delete;
  Lingering& operator=(const Lingering&) = delete;
  ~Lingering() { assert(first_ == nullptr); }

  void close() noexcept {
    while (first_ != nullptr) first_->abort();
  }

  void add(Connection& connection) noexcept {
    connection.next_ = first_;
    if (first_ != nullptr) first_->previous_ = &connection;
    first_ = &connection;
  }
  void remove(Connection& connection) noexcept {
    (connection.previous_ != nullptr ? connection.previous_->next_ : first_) = connection.next_;
    if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  }

 private:
  Connection* first_ = nullptr;
};

void ReleaseConnection::operator()(Connection* connection) const noexcept { connection->release(); }

int init_stream(Loop& loop, Transport transport, AnyStream& handle) noexcept {
  ignore_broken_pipes();
  uv_loop_t& uv = loop.poller().uv();
  return transport == Transport::tcp ? uv_tcp_init(&uv, &handle.tcp) : uv_pipe_init(&uv, &handle.pipe, 0);
}

int adopt_descriptor(Transport transport, AnyStream& handle, int descriptor) noexcept {
  return transport == Transport::tcp ? uv_tcp_open(&handle.tcp, descriptor)
                                     : uv_pipe_open(&handle.pipe, descriptor);
}

ConnectionPtr Connection::make(Loop& loop, Transport transport) {
  auto* const connection = new Connection(loop, transport);
  if (const int error = init_stream(loop, transport, connection->handle_); error != 0) {
    delete connection;
    throw StreamError("open a socket", -error);
  }
  connection->handle_.stream.data = connection;
  return ConnectionPtr(connection);
}

int Connection::descriptor() const noexcept {
  uv_os_fd_t descriptor = -1;
  if (handle_closing_ || uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle_), &descriptor) != 0)
    return -1;
  return descriptor;
}

void Connection::connected() noexcept {
  if (transport_ == Transport::tcp) uv_tcp_nodelay(&handle_.tcp, 1);
  peer_ = remote_address(descriptor());
}

int Connection::connect(const Address& address, ConnectHook& hook) noexcept {
  assert(transport_ == Transport::tcp);
  connect_.data = this;
  connect_hook_ = &hook;
  return uv_tcp_connect(&connect_, &handle_.tcp, address.get(), [](uv_connect_t* request, int status) {
    auto& self = *static_cast<Connection*>(request->data);
    if (status == 0) self.connected();
    if (ConnectHook* const waiting = std::exchange(self.connect_hook_, nullptr)) waiting->connected(status);
  });
}

void Connection::start_read(ReadOp& reader) noexcept {
  reader_ = &reader;
  if (reading_) return;
  if (const int error = uv_read_start(uv(), &allocate, &have_read); error != 0)
    finish_reading(error);
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
    self.finish_reading(static_cast<int>(count));
    return;
  }
  self.bytes_.append({buffer->base, static_cast<std::size_t>(count)});
  const bool wanted = self.reader_ != nullptr && self.reader_->waiting();
  if (wanted && self.reader_->enough()) {
    self.reader_->satisfied();
  } else if (!wanted && self.bytes_.size() / 2 >= self.limit_) {
    uv_read_stop(stream);
    self.reading_ = false;
  }
}

void Connection::finish_reading(int end) noexcept {
  if (end_ == 0) end_ = end;
  if (reading_) uv_read_stop(uv());
  reading_ = false;
  if (reader_ != nullptr && reader_->waiting()) reader_->satisfied();
}

int Connection::write_error() const {
  if (eof_wanted_ && !closing_) throw InvalidState("a write after write_eof()");
  return closing_ ? UV_ECANCELED : error();
}

void Connection::write(std::string_view bytes) {
  if (write_error() != 0) return;
  if (idle() && !bytes.empty()) offer(bytes);
  if (!bytes.empty() && error() == 0) add(bytes);
}

void Connection::write_eof() noexcept {
  if (eof_wanted_ || closing_) return;
  eof_wanted_ = true;
  if (idle()) emptied();
}

// Straight to the kernel: uv_shutdown would need a request, and all that was written is there already.
void Connection::send_eof() noexcept {
  eof_sent_ = true;
  if (::shutdown(descriptor(), SHUT_WR) != 0 && errno == ENOTSOCK) close();  // A pipe has no other way.
}

void Connection::emptied() noexcept {
  if (handle_closing_) return;
  if (eof_wanted_ && !eof_sent_ && error() == 0) send_eof();
  if (closing_) close_handle();
}

void Connection::close() noexcept {
  if (closing_) return;
  closing_ = true;
  finish_reading(UV_ECANCELED);
  if (idle() || error() != 0) close_handle();
}

void Connection::abort() noexcept {
  if (handle_closing_) return;
  closing_ = true;
  finish_reading(UV_ECANCELED);
  drop(UV_ECANCELED);  // Ends in emptied().
}

void Connection::close_handle() noexcept {
  if (handle_closing_) return;
  handle_closing_ = true;
  if (lingering_) std::exchange(lingering_, nullptr)->remove(*this);
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_), &handle_closed);
}

void Connection::handle_closed(uv_handle_t* handle) noexcept {
  auto& self = *static_cast<Connection*>(handle->data);
  self.closed_ = true;
  self.drainers().complete_all();
  self.closers_.complete_all();
  if (CloseHook* const hook = std::exchange(self.close_hook_, nullptr)) hook->closed(self);
  if (self.released_) delete &self;
}

void Connection::release() noexcept {
  assert(reader_ == nullptr && "a stream must outlive those who wait in it");
  connect_hook_ = nullptr;
  close();
  if (closed_) {
    delete this;
    return;
  }
  released_ = true;
  if (handle_closing_) return;
  lingering_ = loop_.service<Lingering>();
  lingering_->add(*this);
}

}  // namespace gather::async
