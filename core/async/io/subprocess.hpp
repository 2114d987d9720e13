/// Subprocesses: asyncio.subprocess in C++. Starts programs in this process, and lets coroutines talk to
/// them, wait for them and stop them.
#pragma once

#include "core/async/io/child_watch.hpp"
#include "core/async/io/start_error.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/task/co.hpp"
#include "core/base/duration.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gather::async {

/// What one of a child's three standard streams is connected to.
///
/// They are called in, out and err here (ours: stdin, stdout and stderr are macros in C, and may be
/// anything).
class Stdio {
 public:
  enum class Kind : std::uint8_t { inherit, pipe, devnull, as_out, descriptor };

  static const Stdio inherit;  ///< What this process has; asyncio's None.
  static const Stdio pipe;     ///< A pipe to us, as a Stream; asyncio's PIPE.
  static const Stdio devnull;  ///< /dev/null; asyncio's DEVNULL.
  static const Stdio as_out;   ///< For err alone: where out goes; asyncio's STDOUT.

  /// An open descriptor, which stays the caller's and is needed until the start has returned.
  constexpr Stdio(int descriptor) noexcept : kind_(Kind::descriptor), descriptor_(descriptor) {}

  constexpr Kind kind() const noexcept { return kind_; }
  /// Requires: kind() is `descriptor`.
  constexpr int descriptor() const noexcept { return descriptor_; }

 private:
  constexpr explicit Stdio(Kind kind) noexcept : kind_(kind) {}

  Kind kind_;
  int descriptor_ = -1;
};

inline constexpr Stdio Stdio::inherit{Kind::inherit};
inline constexpr Stdio Stdio::pipe{Kind::pipe};
inline constexpr Stdio Stdio::devnull{Kind::devnull};
inline constexpr Stdio Stdio::as_out{Kind::as_out};

/// How to start a program; the defaults are asyncio's.
///
/// Whatever is chosen, the program gets descriptors 0 to 2 and no other, an empty signal mask (ours: Python
/// passes its own on, with which a program may be deaf to SIGTERM), and default actions for all signals but
/// those that this process ignores; SIGPIPE is never among these.
struct SubprocessOptions {
  Stdio in = Stdio::inherit;
  Stdio out = Stdio::inherit;
  Stdio err = Stdio::inherit;
  /// "NAME=value", all of it; none: this process's own, see current_environment().
  std::optional<std::vector<std::string>> env{};
  std::string cwd{};  ///< Empty: this process's own.
  std::size_t limit =
      default_limit;  ///< In bytes, of the streams' readline and readuntil; see Stream::limit.
  /// In a session and group of its own, out of reach of the terminal's Ctrl-C. stop() and dropping the
  /// Process then reach the whole group.
  bool start_new_session = false;
  /// Killed when the thread that starts it ends, however it ends (ours; Linux's PR_SET_PDEATHSIG).
  bool dies_with_thread = false;
};

/// A program could not be started; what() says in a sentence what is missing and what would mend it.
class SubprocessError : public std::runtime_error {
 public:
  explicit SubprocessError(const StartError& error)
      : std::runtime_error(error.why), kind_(error.kind), code_(error.code), temporary_(error.temporary()) {}

  StartFailure kind() const noexcept { return kind_; }
  /// An errno value: ENOENT, EACCES, EAGAIN, …
  int code() const noexcept { return code_; }
  /// Whether the same start may well succeed in a moment.
  bool temporary() const noexcept { return temporary_; }

 private:
  StartFailure kind_;
  int code_;
  bool temporary_;
};

/// What communicate() has read; empty for what is no pipe.
struct ProcessOutput {
  std::string out;
  std::string err;
};

/// A program that was started, asyncio's Process. Made by create_subprocess_exec and create_subprocess_shell,
/// used on the loop's thread, moved at any time. It must outlive those who wait in it or in its streams, and
/// dies before its loop. One that was moved from can only be assigned to or destroyed.
///
/// Destroying it while the program runs kills the program (with start_new_session its whole group), closes
/// the pipes, and leaves the reaping to a task of the loop, which the loop's end waits for. To let a program
/// go on living, have it start its own (`setsid`, systemd-run), or wait for it.
class Process {
 public:
  Process(Process&&) noexcept = default;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const noexcept { return state_->child->pid(); }

  /// The exit code, or the negative number of the signal that ended it; empty while it runs. Known once the
  /// loop has seen the end, whether or not anybody waits. 255 if somebody else has reaped it: no other
  /// part of the program may wait for children that it has not made.
  std::optional<int> returncode() const noexcept { return state_->child->returncode(); }

  /// Our ends of its pipes: `in` is written to and closed, `out` and `err` are read. What it wrote is there
  /// to be read after its end, too; what nobody reads holds it up. Throws InvalidState if that stream was not
  /// asked for as a pipe.
  Stream& in() { return checked(state_->in, "in"); }
  Stream& out() { return checked(state_->out, "out"); }
  Stream& err() { return checked(state_->err, "err"); }

  /// Resumes with the return code once the program has ended; at once if it has. Pipes may still be open
  /// then, in hands of its children. A program that writes more than a pipe holds (64 KiB) ends only if
  /// somebody reads: use communicate(). Cancelling a waiter does nothing to the program. Any number may wait.
  ChildWatch::Wait wait() noexcept { return state_->child->wait(); }

  /// Writes `input` to its stdin and closes that, reads stdout and stderr to their ends, all at the same
  /// time, and waits for its end. That the program does not read all of its input is no error. Everything is
  /// kept in memory. Throws InvalidState if there is input and no pipe for it (ours: asyncio drops it), and
  /// StreamError.
  ///
  /// A cancel leaves the program running, and what it has written is still there to be read (ours: asyncio
  /// loses it); up to 64 KiB of input may still go.
  Co<ProcessOutput> communicate(std::string input = {}) { return communicate(*state_, std::move(input)); }

  /// Sends a signal to the program, not to its group. False, and nothing happens, if it has ended (ours:
  /// asyncio throws ProcessLookupError, over a race that no caller can win); it never hits a process that
  /// got its number later. Throws std::system_error: EINVAL, or EPERM if the program runs as somebody else.
  bool send_signal(int number) { return state_->child->signal(number); }
  bool terminate();  ///< SIGTERM.
  bool kill();       ///< SIGKILL.

  /// Ours: asks it to end with SIGTERM, and kills it when `grace` has passed; gives the return code. Meant
  /// for the whole group with start_new_session, although only the program itself is waited for. At once if
  /// it has ended. A cancel leaves it with what it got so far; destroying it does the rest.
  Co<int> stop(Duration grace = std::chrono::seconds(10)) { return stop(*state_->child, grace); }

 private:
  friend Co<Process> create_subprocess_exec(std::vector<std::string>, SubprocessOptions);
  struct State {
    std::unique_ptr<ChildWatch> child;
    std::optional<Stream> in{};
    std::optional<Stream> out{};
    std::optional<Stream> err{};
  };
  explicit Process(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
  static Stream& checked(std::optional<Stream>& stream, const char* name);
  static Co<ProcessOutput> communicate(State& state, std::string input);
  static Co<int> stop(ChildWatch& child, Duration grace);

  std::unique_ptr<State> state_;  // Stays where it is when the Process moves, as coroutines refer to it.
};

/// Starts a program: argv[0], looked for in PATH of its environment if it has no slash, with the arguments
/// argv[1], …; no shell is involved. Resumes without parking when the program runs. Throws SubprocessError
/// if it could not be started, gather::Error if it could not be watched, and std::invalid_argument for an
/// empty argv or a string that holds a NUL.
///
/// A cancel that comes first starts nothing; one that comes later has no effect on the start, as a start
/// never waits. The loop stands for a fraction of a millisecond. However it ends, no child and no descriptor
/// is left but those of the Process. An ignored SIGCHLD goes back to its default action.
///
/// Needs Linux 5.9 and a loop on the real clock; on an older kernel it throws SubprocessError with ENOSYS.
/// There is no fallback to libuv's uv_spawn: it reaps every child on SIGCHLD by itself, so that a signal
/// could reach a stranger.
Co<Process> create_subprocess_exec(std::vector<std::string> argv, SubprocessOptions options = {});

/// Starts `/bin/sh -c command`. Whatever is put into `command` is read by the shell: names from outside
/// belong into the environment ("$NAME"), not into the text.
Co<Process> create_subprocess_shell(std::string command, SubprocessOptions options = {});

/// This process's environment, "NAME=value" each: what options.env begins with, to be changed and passed on.
std::vector<std::string> current_environment();

}  // namespace gather::async
