/// The command that web_server runs while it serves: starts it, waits for it, passes a request to end on.
#pragma once

#include "core/async/task/co.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace web {

using gather::async::Co;

/// A child in our own process group, so that Ctrl-C at the terminal reaches both.
class Command {
 public:
  /// Starts `argv` with WEB_SERVER_PORT in its environment. Throws gather::Error if it can't be started.
  Command(std::vector<std::string> argv, std::uint16_t port);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// Resumes when it has ended, with its exit status, or 128 + the signal that ended it, as in a shell. A
  /// cancel leaves it running.
  Co<int> wait();

  /// Sends SIGTERM. No-op once it was waited for.
  void terminate() noexcept;

 private:
  pid_t pid_ = -1;  // -1 once reaped: from then on the number may be somebody else's.
  int pidfd_ = -1;
};

}  // namespace web
