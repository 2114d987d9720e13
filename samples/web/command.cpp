#include "samples/web/command.hpp"

#include "core/async/loop/watch.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace web {
namespace {

constexpr std::string_view port_variable = "WEB_SERVER_PORT=";

std::vector<std::string> environment_with(std::uint16_t port) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (!std::string_view(*entry).starts_with(port_variable)) environment.emplace_back(*entry);
  environment.push_back(fmt::format("{}{}", port_variable, port));
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Command::Command(std::vector<std::string> argv, std::uint16_t port) {
  std::vector<std::string> environment = environment_with(port);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t ignored_by_us;  // By core/async's streams; nothing a program expects to inherit.
  sigemptyset(&ignored_by_us);
  sigaddset(&ignored_by_us, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ignored_by_us);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawnp(&pid_, argv.front().c_str(), nullptr, &attributes, pointers(argv).data(),
                                 pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    throw gather::Error(
        gather::ExitStatus::usage,
        fmt::format("can't run {}: {}", gather::in_quotes(argv.front()), gather::system_error_text(error)));
  // By number: glibc 2.36 declares pidfd_open without extern "C", so that C++ can't link it.
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0)
    throw gather::Error(gather::ExitStatus::task_failed,
                        fmt::format("pidfd_open: {}", gather::system_error_text(errno)));
}

Command::~Command() { close(pidfd_); }

Co<int> Command::wait() {
  co_await gather::async::Readable(pidfd_);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Command::terminate() noexcept {
  if (pid_ > 0) kill(pid_, SIGTERM);
}

}  // namespace web
