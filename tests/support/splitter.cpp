#include "tests/support/splitter.hpp"

#include "tests/support/loopback.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace gather::test {
namespace {

/// Passes on what there is; false at its end.
bool pass(int from, int to) {
  std::array<char, 65536> buffer;
  const ssize_t count = read(from, buffer.data(), buffer.size());
  for (ssize_t done = 0; done < count;) {
    const ssize_t written = write(to, buffer.data() + done, static_cast<std::size_t>(count - done));
    if (written <= 0) return false;
    done += written;
  }
  return count > 0;
}

}  // namespace

Splitter::Splitter(std::vector<int> ports)
    : ports_(std::move(ports)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  std::signal(SIGPIPE, SIG_IGN);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, plain, size) != 0 || listen(listener_, 64) != 0 || pipe2(stop_, O_CLOEXEC) != 0 ||
      getsockname(listener_, plain, &size) != 0)
    throw std::runtime_error("no load balancer for a test");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

Splitter::~Splitter() {
  (void)!write(stop_[1], "x", 1);  // Nobody reads it, so all see it.
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  for (const int descriptor : {listener_, stop_[0], stop_[1]}) close(descriptor);
}

void Splitter::accept_all() {
  for (std::size_t number = 0;; ++number) {
    std::array<pollfd, 2> watched{pollfd{listener_, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0) return;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(ports_[number % ports_.size()]);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0)
      connections_.emplace_back([this, client, server] {
        pass_on(client, server);
        close(client);
        close(server);
      });
  }
}

void Splitter::pass_on(int client, int server) const {
  while (true) {
    std::array<pollfd, 3> watched{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0},
                                  pollfd{stop_[0], POLLIN, 0}};
    poll(watched.data(), watched.size(), -1);
    if (watched[2].revents != 0) return;
    if (watched[0].revents != 0 && !pass(client, server)) return;
    if (watched[1].revents != 0 && !pass(server, client)) return;
  }
}

}  // namespace gather::test
