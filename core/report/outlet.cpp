#include "core/report/outlet.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace gather::report {
namespace {

constexpr std::size_t most_pending = 64 * 1024;

bool may_make_wait(int descriptor) {
  struct stat status{};
  return fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || isatty(descriptor) == 1);
}

bool would_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

iovec piece(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

}  // namespace

int Outlet::add(std::string_view text) {
  if (pending_.size() + text.size() <= most_pending) {
    pending_ += text;
    return 0;
  }
  return write_all(text);
}

int Outlet::write_all(std::string_view text) {
  const std::string pending = std::exchange(pending_, {});  // A failure must not write it a second time.
  return write(pending, text);
}

void Outlet::never_wait() {
  if (!waits() || !may_make_wait(descriptor_)) return;
  const std::string name = fmt::format("/proc/self/fd/{}", descriptor_);
  own_ = open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int Outlet::wait_again() {
  close_own();
  held_ = false;
  return pass_on();
}

int Outlet::hold(bool held) {
  if (held_ == held) return 0;
  held_ = false;
  const int own =
      std::exchange(own_, held ? -1 : own_);  // Whoever is to have the terminal sees all of it first.
  const int error = pass_on();
  own_ = own;
  held_ = held;
  return error;
}

void Outlet::close_own() noexcept {
  if (own_ >= 0) close(own_);
  own_ = -1;
}

int Outlet::pass_on() {
  if (held_) return 0;
  while (!kept_.empty()) {
    const std::string_view front = kept_.front();
    const ssize_t written = ::write(watched(), front.data(), front.size());
    if (written >= 0) {
      kept_.drop(static_cast<std::size_t>(written));
    } else if (would_wait(errno)) {
      if (!waits()) return 0;
      pollfd wait{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      if (::poll(&wait, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      const int error = errno;
      kept_ = {};
      return error;
    }
  }
  return 0;
}

int Outlet::write(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    if (held_ || !kept_.empty()) {
      kept_.append(first);
      kept_.append(second);
      return 0;
    }
    const std::array<iovec, 2> pieces{piece(first), piece(second)};
    const ssize_t written = ::writev(watched(), pieces.data(), pieces.size());
    if (written >= 0) {
      const std::size_t of_first = std::min(static_cast<std::size_t>(written), first.size());
      first.remove_prefix(of_first);
      second.remove_prefix(static_cast<std::size_t>(written) - of_first);
    } else if (would_wait(errno)) {
      if (!waits()) {
        kept_.append(first);
        first = {};
        kept_.append(second);
        return 0;
      }
      // Somebody else has made the descriptor so.
      pollfd wait{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      if (::poll(&wait, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace gather::report
