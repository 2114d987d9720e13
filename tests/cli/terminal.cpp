#include "tests/cli/terminal.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace gather::test {

Terminal::Terminal(const std::string& script, const std::filesystem::path& folder)
    : keys_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  REQUIRE(keys_ >= 0);
  REQUIRE(grantpt(keys_) == 0);
  REQUIRE(unlockpt(keys_) == 0);
  const std::string name = ptsname(keys_);
  const std::string place = folder.string();
  pid_ = fork();
  if (pid_ == 0) {
    setsid();
    const int terminal = open(name.c_str(), O_RDWR);  // The first that a session opens is its own.
    for (int stream = 0; stream < 3; ++stream) dup2(terminal, stream);
    setenv("TERM", "xterm", 1);
    if (chdir(place.c_str()) == 0) execl("/bin/sh", "sh", "-mc", script.c_str(), nullptr);
    _exit(127);
  }
  REQUIRE(pid_ > 0);
}

Terminal::~Terminal() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(keys_);  // Hangs up whoever is left.
}

void Terminal::type(std::string_view keys) {
  REQUIRE(write(keys_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

void Terminal::resize(unsigned short rows, unsigned short columns) {
  const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
  REQUIRE(ioctl(keys_, TIOCSWINSZ, &size) == 0);
}

void Terminal::wait_for(const std::string& text) {
  const bool shown = eventually([&] {
    pollfd ready{.fd = keys_, .events = POLLIN, .revents = 0};
    std::array<char, 4096> buffer;
    if (poll(&ready, 1, 20) > 0) {
      const ssize_t length = read(keys_, buffer.data(), buffer.size());
      if (length > 0) screen_.append(buffer.data(), static_cast<std::size_t>(length));
    }
    return screen_.contains(text);
  });
  CAPTURE(screen_);
  REQUIRE(shown);
}

}  // namespace gather::test
