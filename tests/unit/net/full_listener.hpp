/// A listener to which nobody can connect, and nobody is refused.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace gather::test {

/// Listens, but its queue of connections is full: the next one gets no answer.
class FullListener {
 public:
  /// At any port of 127.0.0.1.
  FullListener() : FullListener("127.0.0.1", 0) {}
  FullListener(const char* ip, std::uint16_t port)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_port = htons(port);
    inet_pton(AF_INET, ip, &address_.sin_addr);
    socklen_t size = sizeof(address_);
    bind(listener_, reinterpret_cast<sockaddr*>(&address_), size);
    listen(listener_, 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
    for (int i = 0; i < 4; ++i) {
      waiting_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      connect(waiting_.back(), reinterpret_cast<sockaddr*>(&address_), size);
    }
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  ~FullListener() {
    for (const int descriptor : waiting_) close(descriptor);
    close(listener_);
  }

  /// How many connections to it have got no answer yet.
  std::size_t waiting() const {
    const std::string wanted =
        fmt::format(" {:08X}:{:04X} 02 ", address_.sin_addr.s_addr, ntohs(address_.sin_port));
    std::ifstream table("/proc/net/tcp");  // 02 is TCP_SYN_SENT; addresses are as in memory.
    std::size_t count = 0;
    for (std::string line; std::getline(table, line);) count += line.contains(wanted) ? 1 : 0;
    return count;
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}/", ntohs(address_.sin_port)); }

 private:
  int listener_;
  sockaddr_in address_{};
  std::vector<int> waiting_;
};

}  // namespace gather::test
