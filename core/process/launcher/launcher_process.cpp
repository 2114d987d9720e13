#include "core/process/launcher/launcher_process.hpp"

#include "core/async/io/child.hpp"
#include "core/process/launcher/channel.hpp"
#include "core/process/launcher/launcher.hpp"
#include "core/process/reap.hpp"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace gather::process::launcher {

std::expected<LauncherProcess, async::StartError> LauncherProcess::start(const std::string& program,
                                                                         Descriptor& socket) {
  auto ends = make_socket_pair();
  if (!ends) return std::unexpected(async::explain_descriptors(ends.error()));
  async::ChildSpec spec{.argv = {program, argument, std::to_string(getpid())},
                        .stdin_fd = ends->second.get(),
                        .dies_with_parent = false};
  async::Environment::Variables variables;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  spec.environment = std::move(variables);
  const auto child = async::start_child(spec);
  if (!child) return std::unexpected(child.error());
  LauncherProcess process;
  process.pid_ = child->pid;
  process.pidfd_ = Descriptor(child->pidfd);
  socket = std::move(ends->first);
  return process;
}

void LauncherProcess::go_on() noexcept { kill(pid_, SIGCONT); }

int LauncherProcess::await_end() noexcept {
  go_on();
  const pid_t pid = std::exchange(pid_, -1);
  // It takes as long as its children's grace at most; usually there are none, and it ends at once.
  pollfd end{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  constexpr int longest_ms = 10'000;
  if (poll(&end, 1, longest_ms) == 0) kill(pid, SIGKILL);
  pidfd_.reset();
  return reap_child(pid).exit.signal;
}

}  // namespace gather::process::launcher
