#include "core/async/io/child.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define GATHER_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GATHER_SANITIZED
#endif

// The child runs in its parent's memory: no instrumentation may write to shadow memory there.
#define GATHER_IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

namespace gather::async {
namespace {

#ifdef GATHER_SANITIZED
constexpr StartPath safest = StartPath::fork;
#else
constexpr StartPath safest = StartPath::vfork;
#endif

// The kernel's signal set: 64 signals. glibc's own calls leave out the two that it keeps for itself.
constexpr std::size_t signal_set_size = 8;
constexpr int last_signal = 64;

/// All that the child needs, made before it exists: it may not allocate.
struct Plan {
  char* const* argv;
  char* const* environment;
  const char* const* candidates;  // Ends with a null.
  const char* directory;          // Null: stay.
  std::array<int, 3> streams;
  std::array<PassedDescriptor, most_passed> passed;
  unsigned passed_count;
  pid_t parent;
  bool new_session;
  bool dies_with_parent;
  Dispositions dispositions;
};

/// Written by the child, read by its parent, when the program can't be run.
struct Report {
  int error = 0;
  StartStep step = StartStep::process;
};

/// Shares the report with a child that has a copy of everything else.
class SharedReport {
 public:
  SharedReport()
      : page_(mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (page_ == MAP_FAILED) throw std::bad_alloc();
    new (page_) Report;
  }
  SharedReport(const SharedReport&) = delete;
  SharedReport& operator=(const SharedReport&) = delete;
  ~SharedReport() { munmap(page_, sizeof(Report)); }
  Report& operator*() const noexcept { return *static_cast<Report*>(page_); }

 private:
  void* page_;
};

/// Keeps every signal away while parent and child share their memory and the parent's handlers.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    const std::uint64_t all = ~std::uint64_t{0};
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, signal_set_size);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, signal_set_size); }

 private:
  std::uint64_t before_ = 0;
};

// From here to become() everything runs in the child, and calls the kernel directly: what libraries wrap may
// be replaced by a sanitizer, take locks, or change what the parent keeps.

[[noreturn]] GATHER_IN_CHILD void give_up(Report& report, StartStep step, int error) {
  report.step = step;
  report.error = error;
  for (;;) syscall(SYS_exit_group, 127);
}

/// The address of a handler, or 0 or 1 for SIG_DFL and SIG_IGN: it stands first on x86, ARM and RISC-V.
GATHER_IN_CHILD std::uint64_t disposition(int number) {
  std::array<std::uint64_t, 8> action{};
  syscall(SYS_rt_sigaction, number, nullptr, action.data(), signal_set_size);
  return action[0];
}

GATHER_IN_CHILD void reset_signals(Dispositions wanted) {
  // A signal that comes between here and execve must not run a handler of the parent's, and the program does
  // not inherit what we ignore unless that is wanted. All zero is SIG_DFL in every layout; KILL and STOP
  // refuse, rightly.
  const std::array<std::uint64_t, 8> by_default{};
  for (int number = 1; number <= last_signal && wanted != Dispositions::are_untouched; ++number) {
    const bool may_stay = wanted == Dispositions::ignored_stay && number != SIGPIPE && number != SIGXFSZ;
    if (may_stay && disposition(number) <= 1) continue;
    syscall(SYS_rt_sigaction, number, by_default.data(), nullptr, signal_set_size);
  }
  const std::uint64_t none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, signal_set_size);
}

GATHER_IN_CHILD void set_streams(const Plan& plan, Report& report) {
  std::array<int, 3> from{};
  for (unsigned target = 0; target < 3; ++target) {
    long source = plan.streams[target];
    if (source == ChildSpec::inherited) {
      from[target] = ChildSpec::inherited;
      continue;
    }
    if (source < 0) source = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (source >= 0 && source < 3)  // Or an earlier target would overwrite it.
      source = syscall(SYS_fcntl, source, F_DUPFD_CLOEXEC, 3);
    if (source < 0) give_up(report, StartStep::streams, errno);
    from[target] = static_cast<int>(source);
  }
  for (unsigned target = 0; target < 3; ++target)
    if (from[target] != ChildSpec::inherited && syscall(SYS_dup3, from[target], target, 0) < 0)
      give_up(report, StartStep::streams, errno);
  unsigned kept_until = 3;  // All from here on is closed, but for what is passed.
  for (unsigned i = 0; i < plan.passed_count; ++i) {
    const long source = plan.passed[i].from;
    const long as = plan.passed[i].as;
    // One that is where it belongs would be closed with the program's start.
    const long result =
        source == as ? syscall(SYS_fcntl, source, F_SETFD, 0) : syscall(SYS_dup3, source, as, 0);
    if (result < 0) give_up(report, StartStep::streams, errno);
  }
  for (unsigned i = 0; i < plan.passed_count; ++i) {
    const auto as = static_cast<unsigned>(plan.passed[i].as);
    if (as > kept_until && syscall(SYS_close_range, kept_until, as - 1, 0u) != 0)
      give_up(report, StartStep::streams, errno);
    kept_until = as + 1;
  }
  if (syscall(SYS_close_range, kept_until, ~0u, 0u) != 0) give_up(report, StartStep::streams, errno);
}

[[noreturn]] GATHER_IN_CHILD void become(const Plan& plan, Report& report) {
  if (plan.new_session && syscall(SYS_setsid) < 0) give_up(report, StartStep::session, errno);
  reset_signals(plan.dispositions);
  if (plan.dies_with_parent) {
    if (syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
      give_up(report, StartStep::session, errno);
    // A parent that was killed before that line has not told us so.
    if (syscall(SYS_getppid) != plan.parent) give_up(report, StartStep::session, ESRCH);
  }
  set_streams(plan, report);
  if (plan.directory != nullptr && syscall(SYS_chdir, plan.directory) != 0)
    give_up(report, StartStep::directory, errno);

  // As execvp does, without its shell. A file that may not be executed is remembered: a later one may do.
  int error = ENOENT;
  for (const char* const* candidate = plan.candidates; *candidate != nullptr; ++candidate) {
    // Asking first is much cheaper than an execve that fails, which makes an address space before it looks.
    const bool last = candidate[1] == nullptr;
    if (last || syscall(SYS_faccessat, AT_FDCWD, *candidate, X_OK) == 0)
      syscall(SYS_execve, *candidate, plan.argv, plan.environment);
    if (errno == EACCES)
      error = EACCES;
    else if (errno != ENOENT && errno != ENOTDIR)
      give_up(report, StartStep::program, errno);
  }
  give_up(report, StartStep::program, error);
}

struct Arguments {
  const Plan& plan;
  Report& report;
};

GATHER_IN_CHILD int child_main(void* arguments) {
  const auto& [plan, report] = *static_cast<const Arguments*>(arguments);
  become(plan, report);
}

// Both return -1 with errno, or the pid once the child has replaced its memory or ended. Making the pidfd in
// the same call leaves no moment in which a child runs and can't be watched.

constexpr std::size_t stack_size = std::size_t{32} * 1024;

pid_t vfork_child(const Plan& plan, Report& report, int& pidfd) {
  // The parent stands meanwhile, so that its own stack has room enough for the child.
  alignas(64) std::array<std::byte, stack_size> stack;
  Arguments arguments{plan, report};
  return clone(child_main, stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
               &arguments, &pidfd);
}

pid_t fork_child(const Plan& plan, Report& report, int& pidfd) {
  const long pid = syscall(SYS_clone, CLONE_VFORK | CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr);
  if (pid == 0) become(plan, report);
  return static_cast<pid_t>(pid);
}

}  // namespace

bool can_start_children() noexcept {
  static const bool can = syscall(SYS_close_range, ~0u, ~0u, 0u) == 0;
  return can;
}

bool signals_are_untouched() noexcept {
  for (int number = 1; number <= last_signal; ++number)
    if (disposition(number) != 0) return false;
  return true;
}

void keep_exit_statuses() noexcept {
  struct sigaction action{};
  if (sigaction(SIGCHLD, nullptr, &action) != 0) return;
  if (action.sa_handler == SIG_IGN) {
    signal(SIGCHLD, SIG_DFL);
  } else if ((action.sa_flags & SA_NOCLDWAIT) != 0) {  // The same by another door.
    action.sa_flags &= ~SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, nullptr);
  }
}

std::expected<StartedChild, StartError> start_child(const ChildSpec& spec, StartPath path,
                                                    std::span<const PassedDescriptor> passed) {
  assert(!spec.argv.empty() && passed.size() <= most_passed);
  if (path == StartPath::automatic) path = safest;
  const std::vector<std::string> candidates = program_candidates(spec);
  const std::vector<char*> candidate_pointers = exec_pointers(candidates);
  const std::vector<char*> argv = exec_pointers(spec.argv);
  const std::vector<char*> environment = spec.environment.pointers();
  std::array<PassedDescriptor, most_passed> passed_on;
  std::ranges::copy(passed, passed_on.begin());
  const Plan plan{.argv = argv.data(),
                  .environment = environment.data(),
                  .candidates = candidate_pointers.data(),
                  .directory = spec.directory.empty() ? nullptr : spec.directory.c_str(),
                  .streams = {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd},
                  .passed = passed_on,
                  .passed_count = static_cast<unsigned>(passed.size()),
                  .parent = getpid(),
                  .new_session = spec.new_session,
                  .dies_with_parent = spec.dies_with_parent,
                  .dispositions = spec.dispositions};
  StartedChild child;
  Report report;
  {
    const AllSignalsBlocked blocked;
    if (path == StartPath::vfork) {
      child.pid = vfork_child(plan, report, child.pidfd);
      if (child.pid < 0) report.error = errno;
    } else {
      const SharedReport shared;
      child.pid = fork_child(plan, *shared, child.pidfd);
      report = *shared;
      if (child.pid < 0) report.error = errno;
    }
  }
  if (report.error == 0) return child;
  if (child.pid >= 0) {
    while (waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    close(child.pidfd);
  }
  return std::unexpected(explain_start(spec, report.step, report.error));
}

std::vector<std::string> program_candidates(const ChildSpec& spec) {
  const std::string& program = spec.argv.front();
  std::vector<std::string> candidates;
  if (program.empty()) return candidates;
  if (program.contains('/')) {
    candidates.push_back(program);
    return candidates;
  }
  const char* const path = spec.environment.find("PATH");
  std::string_view rest = path != nullptr ? path : "/bin:/usr/bin";
  candidates.reserve(static_cast<std::size_t>(std::ranges::count(rest, ':')) + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    // An empty element would mean the working directory: a trap in hostile checkouts, and rarely meant.
    if (end > 0) {
      std::string& candidate = candidates.emplace_back();
      candidate.reserve(end + 1 + program.size());
      candidate.append(rest, 0, end).append(1, '/').append(program);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return candidates;
}

}  // namespace gather::async
