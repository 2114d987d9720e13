#include "core/report/terminal.hpp"

#include "core/base/error.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace gather::report {
namespace {

constexpr int stdout_descriptor = 1;
constexpr int stderr_descriptor = 2;
constexpr std::size_t most_pending = 64 * 1024;

bool same_place(int a, int b) {
  struct stat of_a{};
  struct stat of_b{};
  return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

/// One that understands how to erase a line.
bool is_terminal(int descriptor) {
  const char* kind = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

/// Writes all of `text`, also to a descriptor that someone else made non-blocking. Returns errno, or 0.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd wait{.fd = descriptor, .events = POLLOUT, .revents = 0};
      if (::poll(&wait, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

StandardTerminal::StandardTerminal()
    : err_is_terminal_(is_terminal(stderr_descriptor)),
      shared_(same_place(stdout_descriptor, stderr_descriptor)) {}

StandardTerminal::~StandardTerminal() {
  try {
    flush();
  } catch (const Error&) {  // Whoever cares has called flush().
  }
}

void StandardTerminal::out(std::string_view text) { add(stdout_descriptor, text); }

void StandardTerminal::err(std::string_view text) { add(stderr_descriptor, text); }

void StandardTerminal::add(int descriptor, std::string_view text) {
  if (descriptor != pending_for_ || pending_.size() + text.size() > most_pending) flush();
  pending_for_ = descriptor;
  pending_ += text;
}

void StandardTerminal::flush() {
  const std::string text = std::exchange(pending_, {});  // A failure must not write it a second time.
  if (text.empty() || (pending_for_ == stderr_descriptor && err_gone_)) return;
  const int error = write_all(pending_for_, text);
  if (error == 0) return;
  if (error == EPIPE && (pending_for_ == stdout_descriptor || shared_))
    throw Error(ExitStatus::stdout_gone, "nobody reads standard output any more");
  if (pending_for_ == stderr_descriptor && (error == EPIPE || error == EBADF)) {
    err_gone_ = true;
    return;
  }
  throw Error(ExitStatus::task_failed,
              fmt::format("can't write standard {}: {}",
                          pending_for_ == stdout_descriptor ? "output" : "error", system_error_text(error)));
}

std::optional<std::size_t> StandardTerminal::columns() const {
  if (!err_is_terminal_) return std::nullopt;
  winsize size{};
  if (::ioctl(stderr_descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace gather::report
