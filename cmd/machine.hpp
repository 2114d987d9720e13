/// --max-load and --min-free-mem: whether this machine bears another process.
#pragma once

#include "cmd/options.hpp"
#include "core/run/process_leave.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace gather::cmd {

/// Reads /proc as it is asked. A number that can't be read limits nothing.
class SystemMachine final : public run::Machine {
 public:
  /// Null where neither flag is given. Throws Error(usage) for a value that makes no sense, and where /proc
  /// does not tell.
  static std::unique_ptr<SystemMachine> of(const std::optional<Given>& max_load,
                                           const std::optional<Given>& min_free_mem);

  bool has_room() override;
  void process_started() override { started_at_.push_back(Clock::now()); }

 private:
  using Clock = std::chrono::steady_clock;

  std::optional<double> most_running_;
  std::optional<std::uint64_t> least_free_;
  Clock::time_point measured_at_{};
  double running_ = 0;                        // On the machine, when it was measured; without us.
  std::deque<Clock::time_point> started_at_;  // Those that the measurement may not show.
  std::uint64_t free_ = 0;
};

/// Threads that run or could run now, without the one that asks. As /proc/loadavg has them.
std::optional<double> running_on_machine();

/// Memory that processes may take without swapping, in bytes: MemAvailable of /proc/meminfo.
std::optional<std::uint64_t> free_memory();

}  // namespace gather::cmd
