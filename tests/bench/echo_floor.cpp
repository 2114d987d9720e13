/// The least that bench_echo's round trips can cost: one read, one write and a share of an epoll_wait on each
/// side; no loop, no coroutines, no buffers. What is above it in core/async or a peer is their own.
///
///     bench_echo_floor server CONNECTIONS
///     bench_echo_floor client CONNECTIONS TRIPS PORT
#include "tests/bench/measure.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t message_size = 64;

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
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

void be_server(long connections) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(listener, 512) != 0)
    give_up("listen");
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  const int epoll = epoll_create1(0);
  for (long i = 0; i < connections; ++i) {
    const int socket = accept(listener, nullptr, nullptr);
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, socket);
  }
  serve(epoll, connections, [](int socket, const char* data, std::size_t size) {
    send_all(socket, data, size);
    return true;
  });
}

void be_client(std::uint16_t port, long connections, long trips) {
  const int epoll = epoll_create1(0);
  const std::array<char, message_size> message{};
  const sockaddr_in address = loopback(port);
  std::vector<long> left;  // Trips, by descriptor.
  std::vector<int> sockets;
  for (long i = 0; i < connections; ++i) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) give_up("connect");
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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
    be_server(connections);
  else
    be_client(static_cast<std::uint16_t>(std::atoi(argv[4])), connections, std::atol(argv[3]));
  std::printf("{\"cpu_s\": %f}\n", gather::bench::cpu_seconds() - start);
}
