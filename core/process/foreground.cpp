#include "core/process/foreground.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/watch.hpp"
#include "core/async/task/error.hpp"
#include "core/async/task/future.hpp"
#include "core/async/task/sleep.hpp"
#include "core/process/descriptor.hpp"
#include "core/process/reap.hpp"
#include "core/process/sweep.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace gather::process {
namespace {

using async::Cancelled;
using async::Co;
using namespace std::chrono_literals;

/// The terminal as it is now, to be put back.
class TerminalState {
 public:
  explicit TerminalState(int terminal) : terminal_(terminal), has_modes_(tcgetattr(terminal, &modes_) == 0) {}
  TerminalState(const TerminalState&) = delete;
  TerminalState& operator=(const TerminalState&) = delete;

  // Whoever took the foreground has left us in the background, where both calls would stop us.
  ~TerminalState() {
    sigset_t stops;
    sigset_t before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &stops, &before);
    tcsetpgrp(terminal_, getpgrp());
    if (has_modes_) tcsetattr(terminal_, TCSADRAIN, &modes_);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

 private:
  int terminal_;
  termios modes_{};
  bool has_modes_;
};

async::StartError refusal(std::string why) {
  async::StartError error;
  error.why = std::move(why);
  return error;
}

Co<bool> unless_cancelled(Co<bool> wait) {
  try {
    co_return co_await std::move(wait);
  } catch (const Cancelled&) {
    co_return false;
  }
}

/// False if it has not ended at `deadline`.
Co<bool> ended_by(int pidfd, async::Loop& loop, async::TimePoint deadline) {
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0) {
    if (loop.now() >= deadline) co_return false;
    co_await async::sleep(std::min<Duration>(10ms, deadline - loop.now()));
  }
  co_return true;
}

/// Whether it has ended by SIGINT or SIGQUIT, or says that its own child has.
bool ended_by_key(int pidfd) {
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  const int number = info.si_code == CLD_EXITED ? info.si_status - 128 : info.si_status;
  return number == SIGINT || number == SIGQUIT;
}

Co<bool> end_of(int pidfd) {
  co_await async::Readable(pidfd);
  co_return true;
}

}  // namespace

Co<std::expected<Exit, async::StartError>> run_in_foreground(async::ChildSpec spec, const StopPolicy& policy,
                                                             ProcessResult& result,
                                                             const std::function<bool(pid_t)>& spared) {
  async::TaskCell& task = co_await async::this_task();
  if (task.cancel_pending()) co_await async::yield();
  async::Loop& loop = task.loop();
  const Descriptor terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal)
    co_return std::unexpected(refusal("it wants a terminal (`tty: true`), and gather has none here"));
  if (tcgetpgrp(terminal.get()) != getpgrp())
    co_return std::unexpected(
        refusal("it wants the terminal (`tty: true`), and gather is not in its foreground; start gather "
                "without `&`"));
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // What it leaves behind comes to us.
  for (int* const stream : {&spec.stdin_fd, &spec.stdout_fd, &spec.stderr_fd})
    if (*stream < 0) *stream = terminal.get();
  spec.new_session = false;

  const TerminalState before(terminal.get());
  auto started = async::start_child(spec);
  if (!started) co_return std::unexpected(std::move(started.error()));
  const Descriptor pidfd(started->pidfd);
  const auto others = [&](pid_t pid) { return pid != started->pid && spared(pid); };

  bool cancelled = false;
  try {
    co_await end_of(pidfd.get());
  } catch (const Cancelled&) {
    cancelled = true;
  }
  if (!cancelled && ended_by_key(pidfd.get())) {
    // The same Ctrl-C is on its way to us, and says that it was stopped, not that it failed.
    try {
      co_await async::sleep(50ms);
    } catch (const Cancelled&) {
      cancelled = true;
    }
  }
  if (cancelled) {
    signal_all(strays(others), *policy.signal);
    signal_all(strays(others), SIGCONT);
    if (!co_await unless_cancelled(ended_by(pidfd.get(), loop, loop.now() + policy.grace))) {
      result.killed = true;
      kill(started->pid, SIGKILL);
    }
    while (!co_await unless_cancelled(end_of(pidfd.get()))) {
    }
  }
  const Reaped reaped = reap_child(started->pid);
  result.exit = reaped.exit;
  result.usage = reaped.usage;
  bool left = true;
  const async::TimePoint deadline = loop.now() + policy.leak_timeout;
  while ((left = !strays(others).empty()) && loop.now() < deadline && !cancelled) {
    try {
      co_await async::sleep(5ms);
    } catch (const Cancelled&) {
      cancelled = true;
    }
  }
  if (left) {
    result.leaked = !cancelled;
    kill_strays(others);
  }
  if (cancelled) throw Cancelled{};
  co_return reaped.exit;
}

}  // namespace gather::process
