#include "core/net/sockets.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace gather::net {

std::uint64_t cookie_of(int descriptor) noexcept {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

bool is_end_of_our_pair(int descriptor) noexcept {
  int domain = 0;
  socklen_t size = sizeof(domain);
  if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) return false;
  ucred maker{};
  size = sizeof(maker);
  return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &maker, &size) == 0 && maker.pid == getpid();
}

void close_pair_on_exec(int lowest) noexcept {
  constexpr int farthest = 256;
  int ends = 0;
  for (int end = lowest; ends < 2 && end <= lowest + farthest; ++end)
    if (is_end_of_our_pair(end) && (fcntl(end, F_GETFD) & FD_CLOEXEC) == 0) {
      fcntl(end, F_SETFD, FD_CLOEXEC);
      ++ends;
    }
}

int lowest_free_descriptor() noexcept {
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(descriptor);
  return descriptor;
}

}  // namespace gather::net
