/// The launcher as a process: started and reaped by gather.
#pragma once

#include "core/async/io/start_error.hpp"
#include "core/process/descriptor.hpp"

#include <sys/types.h>

#include <expected>
#include <string>

namespace gather::process::launcher {

/// A child of ours, in a session of its own.
class LauncherProcess {
 public:
  /// None yet.
  LauncherProcess() = default;

  /// Starts `program` as a launcher. `socket` becomes our end of its socket; it ends its children, and then
  /// itself, when that closes.
  static std::expected<LauncherProcess, async::StartError> start(const std::string& program,
                                                                 Descriptor& socket);

  /// -1 before it is started and once its end was waited for.
  pid_t pid() const noexcept { return pid_; }

  /// Lets it go on (SIGCONT) if it was stopped. Requires: started, and its end not waited for.
  void go_on() noexcept;

  /// Lets it go on, waits for its end, for 10 s at most before it is killed, and reaps it. 0, or the signal
  /// that ended it.
  int await_end() noexcept;

 private:
  pid_t pid_ = -1;
  Descriptor pidfd_;  // Readable once it has ended.
};

}  // namespace gather::process::launcher
