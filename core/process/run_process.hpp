/// Running one program from start to end: its output kept, its group stopped, and nothing left of it.
#pragma once

#include "core/async/io/child.hpp"
#include "core/async/task/co.hpp"
#include "core/base/duration.hpp"
#include "core/process/spool.hpp"
#include "core/process/starter.hpp"
#include "core/process/valve.hpp"

#include <csignal>
#include <expected>
#include <optional>
#include <string>

namespace gather::process {

inline constexpr int terminate = SIGTERM;

/// How a running program is stopped, and what may be left of it.
struct StopPolicy {
  /// The polite signal; after Ctrl-C, the one to pass on. Read when it is sent: its owner may change it
  /// meanwhile.
  const int* signal = &terminate;
  Duration grace = std::chrono::seconds(10);  ///< Between the polite signal and SIGKILL.
  /// How long the rest of the group, and whoever holds a pipe, may outlive a leader that ended by itself.
  Duration leak_timeout = std::chrono::milliseconds(200);
  bool leave = false;  ///< If the leader ends with 0, what it has left behind runs on; its pipes are closed.
  bool isolate = false;  ///< In a PID namespace of its own; see ChildPolicy.
};

/// What is known of a program; filled as it runs, so that output and usage of one that was cancelled are
/// there too.
struct ProcessResult {
  Spool out;
  Spool err;
  std::optional<Exit> exit;    ///< Once it has ended and was reaped.
  std::optional<Usage> usage;  ///< Likewise, where the system tells.
  bool leaked = false;         ///< It ended by itself, and what it left behind had to be killed or let go.
  bool killed = false;         ///< It was stopped, and the polite signal was not enough.

  /// Why `out` or `err` is not complete, if so.
  const std::optional<std::string>& lost_output() const noexcept {
    return out.failure() ? out.failure() : err.failure();
  }
};

/// Who else is given what a program writes; nobody by default. All outlive the call.
struct Listeners {
  Listener* out = nullptr;
  Listener* err = nullptr;
  Valve* valve = nullptr;  ///< Set if the others are.
};

/// Runs `spec`, whose stdout_fd and stderr_fd are ignored: both streams are captured in `result`. Gives how
/// the program ended, or why it could not be started. Lack of processes or descriptors is taken for
/// temporary: it tries again for about a second. `starter`, `policy` and `result` must outlive the call.
///
/// When the program has ended, its group and its pipes get `leak_timeout`; then the group is killed and the
/// pipes are closed. A program that leaves nothing behind waits for nothing. While the valve holds a pipe
/// back, no such time passes.
///
/// Cancelled: the whole group gets the polite signal (and SIGCONT, should it be stopped), and until `grace`
/// has passed to be gone; then SIGKILL. A second cancel sends SIGKILL at once. In every case Cancelled is
/// thrown only when the program has been reaped and `result` is complete.
///
/// However it ends, no child, zombie or descriptor is left. Processes that left the group are out of its
/// reach; see core/README.md, *Processes*.
async::Co<std::expected<Exit, async::StartError>> run_process(Starter& starter, async::ChildSpec spec,
                                                              const StopPolicy& policy, ProcessResult& result,
                                                              Listeners listeners = {});

}  // namespace gather::process
