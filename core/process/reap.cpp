#include "core/process/reap.hpp"

#include "core/process/proc.hpp"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>

namespace gather::process {
namespace {

Duration duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

/// Linux counts into a child's peak what its parent had before the child's program ran.
std::uint64_t peak_bytes(const rusage& usage) {
  // Ours never falls, and asking /proc costs as much as the rest of the reaping.
  static std::atomic<std::uint64_t> own = 0;
  const std::uint64_t peak = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  if (peak <= own.load(std::memory_order_relaxed)) return 0;
  rusage self{};
  getrusage(RUSAGE_SELF, &self);
  if (usage.ru_maxrss > self.ru_maxrss) return peak;
  // Ours was counted in the same way, so that a launcher's holds gather's; /proc knows better.
  const std::uint64_t now = own_peak_bytes();
  own.store(now, std::memory_order_relaxed);
  return now > 0 && peak > now ? peak : 0;
}

}  // namespace

Exit exit_of(int status) noexcept {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status), .core_dumped = WCOREDUMP(status) != 0};
  return {.code = WEXITSTATUS(status)};
}

bool ended_well(pid_t pid) noexcept {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 0;
}

Reaped reap_child(pid_t pid) noexcept {
  int status = 0;
  rusage usage{};
  pid_t reaped = 0;
  do reaped = wait4(pid, &status, 0, &usage);
  while (reaped < 0 && errno == EINTR);
  if (reaped < 0) return {};
  return {exit_of(status), Usage{.user = duration_of(usage.ru_utime),
                                 .system = duration_of(usage.ru_stime),
                                 .peak_memory_bytes = peak_bytes(usage)}};
}

}  // namespace gather::process
