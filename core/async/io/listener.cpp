#include "core/async/io/listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace gather::async {
namespace {

void set(int descriptor, int level, int option) noexcept {
  const int on = 1;
  setsockopt(descriptor, level, option, &on, sizeof on);
}

// Of its own making, because libuv knows neither SO_REUSEPORT nor the abstract namespace.
StreamHandle bound(Loop& loop, const Address& address, bool reuse_port) {
  const int descriptor = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) throw StreamError("open a socket", errno);
  const auto fail = [&](const char* doing, int error) -> StreamError {
    ::close(descriptor);
    return StreamError(doing, error);
  };
  if (address.family() != AF_UNIX) set(descriptor, SOL_SOCKET, SO_REUSEADDR);
  if (address.family() == AF_INET6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);  // IPv4 has its own socket.
  if (reuse_port) set(descriptor, SOL_SOCKET, SO_REUSEPORT);
  if (bind(descriptor, address.get(), address.size()) != 0) throw fail("bind", errno);

  auto block = std::make_unique<AnyStream>();
  const Transport transport = transport_for(address.family());
  if (const int error = init_stream(loop, transport, *block); error != 0) throw fail("open a socket", -error);
  block->stream.data = nullptr;
  StreamHandle handle(block.release());
  if (const int error = adopt_descriptor(transport, *handle, descriptor); error != 0)
    throw fail("open a socket", -error);
  return handle;
}

Address address_of(AnyStream& handle) noexcept {
  uv_os_fd_t descriptor = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&handle), &descriptor);
  return local_address(descriptor);
}

bool is_abstract(const Address& address) { return address.path().starts_with('\0'); }

}  // namespace

void CloseStream::operator()(AnyStream* handle) const noexcept {
  handle->stream.data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<AnyStream*>(closed); });
}

Listener::Listener(StreamHandle handle, const Address& address)
    : handle_(std::move(handle)), address_(address) {}

Listener Listener::tcp(Loop& loop, const Address& address, bool reuse_port) {
  StreamHandle handle = bound(loop, address, reuse_port);
  const Address its_own = address_of(*handle);
  return {std::move(handle), its_own};
}

Listener Listener::unix_socket(Loop& loop, const Address& address, bool cleanup_socket) {
  const std::string path = address.path();
  const bool has_file = !is_abstract(address);
  struct stat about{};
  if (has_file && stat(path.c_str(), &about) == 0 && S_ISSOCK(about.st_mode)) unlink(path.c_str());
  Listener listener(bound(loop, address, false), address);
  if (cleanup_socket && has_file && stat(path.c_str(), &about) == 0)
    listener.file_ = std::pair(about.st_dev, about.st_ino);
  return listener;
}

void Listener::close() noexcept {
  handle_.reset();
  const auto file = std::exchange(file_, std::nullopt);
  if (!file) return;
  const std::string path = address_.path();
  struct stat about{};
  if (stat(path.c_str(), &about) == 0 && std::pair(about.st_dev, about.st_ino) == *file) unlink(path.c_str());
}

}  // namespace gather::async
