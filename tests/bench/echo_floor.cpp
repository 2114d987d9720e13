/// The least that bench_echo's round trips can cost: one read, one write and a share of an epoll_wait on each
/// side; no loop, no coroutines, no buffers. What is above it in core/async or a peer is their own.
///
///     bench_echo_floor server CONNECTIONS [PATH]
///     bench_echo_floor client CONNECTIONS TRIPS PORT|PATH
#include "tests/bench/measure.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t message_size = 64;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Address loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  Address result{.length = sizeof address};
  std::memcpy(&result.storage, &address, sizeof address);
  return result;
}

Address unix_socket(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) give_up("path");
  path.copy(address.sun_path, path.size());
  Address result{.length = sizeof address};
  std::memcpy(&result.storage, &address, sizeof address);
  return result;
}

/// What `where` names: a path if there is a slash in it, else a port.
Address address_of(std::string_view where) {
  if (where.contains('/')) return unix_socket(where);
  return loopback(static_cast<std::uint16_t>(std::stoi(std::string(where))));
}

void send_at_once(int socket, const Address& address) {
  if (address.family() != AF_INET) return;
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void watch(int epoll, int socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) give_up("epoll_ctl");
}

void send_all(int socket, const char* data, std::size_t size) {
  if (write(socket, data, size) != static_cast<ssize_t>(size)) give_up("write");
}

/// Waits for what comes on any of `left` sockets, and calls `on_data(socket, bytes, size)` until all have
/// been closed; that is told by a size of 0, or by its answer false.
template <class OnData>
void serve(int epoll, long left, OnData on_data) {
  std::array<epoll_event, 128> events;
  std::array<char, 65536> buffer;
  while (left > 0) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<unsigned>(i)].data.fd;
      const ssize_t size = read(socket, buffer.data(), buffer.size());
      if (size > 0 && on_data(socket, buffer.data(), static_cast<std::size_t>(size))) continue;
      close(socket);
      --left;
    }
  }
}

void be_server(long connections, std::string_view path) {
  Address address = path.empty() ? loopback(0) : unix_socket(path);
  const int listener = socket(address.family(), SOCK_STREAM, 0);
  if (bind(listener, address.get(), address.length) != 0 || listen(listener, 512) != 0) give_up("listen");
  if (path.empty()) {
    getsockname(listener, address.get(), &address.length);
    std::printf("%d\n", ntohs(reinterpret_cast<const sockaddr_in*>(address.get())->sin_port));
  } else {
    std::printf("%.*s\n", static_cast<int>(path.size()), path.data());
  }
  std::fflush(stdout);
  const int epoll = epoll_create1(0);
  for (long i = 0; i < connections; ++i) {
    const int socket = accept(listener, nullptr, nullptr);
    send_at_once(socket, address);
    watch(epoll, socket);
  }
  serve(epoll, connections, [](int socket, const char* data, std::size_t size) {
    send_all(socket, data, size);
    return true;
  });
}

void be_client(const Address& address, long connections, long trips) {
  const int epoll = epoll_create1(0);
  const std::array<char, message_size> message{};
  std::vector<long> left;  // Trips, by descriptor.
  std::vector<int> sockets;
  for (long i = 0; i < connections; ++i) {
    const int socket = ::socket(address.family(), SOCK_STREAM, 0);
    if (connect(socket, address.get(), address.length) != 0) give_up("connect");
    send_at_once(socket, address);
    watch(epoll, socket);
    if (left.size() <= static_cast<std::size_t>(socket)) left.resize(static_cast<std::size_t>(socket) + 1);
    left[static_cast<std::size_t>(socket)] = trips;
    sockets.push_back(socket);
  }
  for (const int socket : sockets) send_all(socket, message.data(), message.size());
  serve(epoll, connections, [&](int socket, const char*, std::size_t size) {
    if (size != message_size) give_up("a message in pieces");
    if (--left[static_cast<std::size_t>(socket)] == 0) return false;
    send_all(socket, message.data(), message.size());
    return true;
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool is_server = std::string_view(argv[1]) == "server";
  if (!is_server && argc < 5) return 2;
  const long connections = std::atol(argv[2]);
  const double start = gather::bench::cpu_seconds();
  if (is_server)
    be_server(connections, argc > 3 ? argv[3] : "");
  else
    be_client(address_of(argv[4]), connections, std::atol(argv[3]));
  std::printf("{\"cpu_s\": %f}\n", gather::bench::cpu_seconds() - start);
}
