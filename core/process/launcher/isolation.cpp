#include "core/process/launcher/isolation.hpp"

#include "core/process/launcher/messages.hpp"
#include "core/process/reap.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace gather::process::launcher {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What the program has left gets this, as outside (StopPolicy::leak_timeout).
constexpr Duration leak_time = 200ms;

async::StartError explain_namespace(int error) {
  return {
      async::StartFailure::other,
      fmt::format("it wants a PID namespace of its own (`isolate: pid`), and the system refuses: {}; remove "
                  "`isolate`, or allow user namespaces (user.max_user_namespaces)",
                  std::strerror(error)),
      error};
}

void write_file(const char* path, const std::string& text) noexcept {
  const Descriptor file(open(path, O_WRONLY | O_CLOEXEC));
  // Where it does not work, the program is somebody without a name; it runs all the same.
  [[maybe_unused]] const ssize_t written = write(file.get(), text.data(), text.size());
}

/// In a user namespace: who we were outside.
void keep_identity(uid_t user, gid_t group) noexcept {
  write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
}

/// So that /proc shows the namespace. A container may not allow it; then it shows the outer one.
void mount_own_proc() noexcept {
  if (unshare(CLONE_NEWNS) != 0) return;
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
}

/// Reaps until nobody is left, or the time since the program's end is over.
void look_after(pid_t program, Init::Ending& ending) noexcept {
  Clock::time_point until;
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, ending.program_ended ? WNOHANG : 0);
    if (ended == program) {
      ending.exit = exit_of(status);
      ending.program_ended = true;
      until = Clock::now() + leak_time;
    } else if (ended < 0 && errno == ECHILD) {
      return;
    } else if (ended == 0) {
      if (Clock::now() >= until) {
        ending.left = true;
        return;
      }
      poll(nullptr, 0, 2);
    }
  }
}

/// The whole life of an init, which no exception may leave: behind it is the launcher's own. `to_launcher` is
/// closed once the program runs; before, it says why it does not.
[[noreturn]] void be_init(async::ChildSpec spec, std::span<const async::PassedDescriptor> passed,
                          Init::Ending& ending, Descriptor to_launcher) noexcept {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A launcher that was killed before that line has not told us so; but nobody reads then.
  pollfd reader{.fd = to_launcher.get(), .events = 0, .revents = 0};
  if (poll(&reader, 1, 0) > 0) _exit(0);
  prctl(PR_SET_NAME, "gather-init");
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  setsid();
  mount_own_proc();
  spec.new_session = false;
  const auto started = async::start_child(spec, async::StartPath::automatic, passed);
  if (!started) {
    Writer body;
    body << started.error();
    const auto bytes = body.bytes();
    [[maybe_unused]] const ssize_t written = write(to_launcher.get(), bytes.data(), bytes.size());
    _exit(0);
  }
  // It holds nothing of anybody: neither pipes, whose readers wait for the end, nor the launcher's socket.
  close_range(0, ~0u, 0);
  look_after(started->pid, ending);
  _exit(0);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t size = read(descriptor, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
}

/// As fork() does, with these namespaces: -1 with errno, 0 in the child.
pid_t fork_into(unsigned long namespaces, int& pidfd) noexcept {
  return static_cast<pid_t>(
      syscall(SYS_clone, namespaces | CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr));
}

}  // namespace

Init::Init() {
  void* const page = mmap(nullptr, sizeof(Ending), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  ending_.reset(new (page) Ending);
}

void Init::Unmap::operator()(Ending* ending) const noexcept { munmap(ending, sizeof(Ending)); }

void Init::tell(Reaped& reaped) const noexcept {
  if (!ending_->program_ended) return;  // It was killed, and so was the program.
  reaped.exit = ending_->exit;
  reaped.left = ending_->left;
}

std::expected<async::StartedChild, async::StartError> start_isolated(
    const async::ChildSpec& spec, std::span<const async::PassedDescriptor> passed,
    std::optional<Init>& init) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(async::explain_descriptors(errno));
  Descriptor from_init(ends[0]);
  Descriptor to_launcher(ends[1]);
  Init made;
  const uid_t user = geteuid();
  const gid_t group = getegid();
  async::StartedChild child;
  // Who has the privilege needs no user namespace, in which files of others could not be written.
  child.pid = fork_into(CLONE_NEWPID, child.pidfd);
  if (child.pid == 0) {
    from_init.reset();
    be_init(spec, passed, made.ending(), std::move(to_launcher));
  }
  if (child.pid < 0 && errno == EPERM) {
    child.pid = fork_into(CLONE_NEWPID | CLONE_NEWUSER, child.pidfd);
    if (child.pid == 0) {
      from_init.reset();
      keep_identity(user, group);
      be_init(spec, passed, made.ending(), std::move(to_launcher));
    }
  }
  if (child.pid < 0)
    return std::unexpected(errno == EAGAIN || errno == ENOMEM
                               ? async::explain_start(spec, async::StartStep::process, errno)
                               : explain_namespace(errno));
  to_launcher.reset();
  if (const std::string refusal = read_all(from_init.get()); !refusal.empty()) {
    async::StartError error;
    Reader body(refusal);
    body >> error;
    reap_child(child.pid);
    close(child.pidfd);
    return std::unexpected(std::move(error));
  }
  init.emplace(std::move(made));
  return child;
}

}  // namespace gather::process::launcher
