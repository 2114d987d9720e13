/// Starting a child process in this process: the one start routine, which the launcher shares. It knows no
/// loop.
#pragma once

#include "core/async/io/environment.hpp"
#include "core/async/io/start_error.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace gather::async {

/// What becomes of the dispositions of signals. The mask is empty in any case.
enum class Dispositions : std::uint8_t {
  by_default,     ///< None is ignored.
  ignored_stay,   ///< As nohup needs; but for SIGPIPE and SIGXFSZ, as in Python.
  are_untouched,  ///< This process handles and ignores none (signals_are_untouched), and need not look.
};

/// What to start. The descriptors stay the caller's.
struct ChildSpec {
  static constexpr int null_device = -1;  ///< /dev/null.
  static constexpr int inherited = -2;    ///< This process's own, as it is, closed or close-on-exec included.

  std::vector<std::string> argv;  ///< Not empty; argv[0] is looked for in PATH if it has no slash.
  Environment environment{};      ///< All of it.
  std::string directory{};        ///< Empty: this process's own.
  int stdin_fd = null_device;     ///< Here and below: one of the two above, or any descriptor.
  int stdout_fd = null_device;
  int stderr_fd = null_device;

  // The defaults are the runner's; async::create_subprocess_exec has others.
  bool new_session = true;       ///< In a session and group of its own.
  bool dies_with_parent = true;  ///< Gets SIGKILL when the thread that started it ends.
  Dispositions dispositions = Dispositions::by_default;
};

/// A descriptor that a child gets besides 0 to 2.
struct PassedDescriptor {
  int from = -1;  ///< This process's.
  int as = -1;    ///< Its number in the child, above 2.
};

/// A child that runs its program. The caller owns both: it reaps the one and closes the other.
struct StartedChild {
  pid_t pid = -1;  ///< With new_session also the number of its session and of its group.
  int pidfd = -1;  ///< Readable once the child has ended; closed on exec.
};

/// Ways to start a child.
enum class StartPath : std::uint8_t {
  automatic,  ///< The best that is safe here.
  vfork,      ///< In our own memory until the program runs: cheap, whatever size this process has.
  fork,       ///< In a copy of it: for sanitizers, whose run-time library can't be shared with a child.
};

/// Whether the kernel has what `vfork` and `fork` need (Linux 5.9).
bool can_start_children() noexcept;

/// Whether this process neither handles nor ignores any signal. Takes 64 system calls.
bool signals_are_untouched() noexcept;

/// Undoes an ignored SIGCHLD, with which the kernel would throw exit statuses away; a handler stays.
void keep_exit_statuses() noexcept;

/// Starts a child and returns once its program runs or could not be run.
///
/// It starts clean: descriptors 0 to 2, those of `passed` and no other, default signals, an empty mask. Where
/// it dies with the thread that started it (PR_SET_PDEATHSIG), call this on a thread that stays. The search
/// is our own: PATH of `environment` ("/bin:/usr/bin" if it has none), without its empty elements, relative
/// to `directory`; what the kernel refuses is never handed to a shell. Takes a fraction of a millisecond, in
/// which the calling thread stands and takes no signals.
///
/// Requires: argv is not empty; no string holds a NUL; at most most_passed are passed, in the order of their
/// numbers in the child, and no `as` is the `from` of another one.
std::expected<StartedChild, StartError> start_child(const ChildSpec& spec,
                                                    StartPath path = StartPath::automatic,
                                                    std::span<const PassedDescriptor> passed = {});
inline constexpr std::size_t most_passed = 2;

/// Where the program may be, in the order to try; relative ones count from `directory`. Empty if there is
/// nowhere to look.
std::vector<std::string> program_candidates(const ChildSpec& spec);

}  // namespace gather::async
