#include "core/process/group.hpp"

#include "core/process/proc.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace gather::process {
bool is_last_of_group(pid_t leader) noexcept {
  // Signals and group numbers can't tell one zombie from a zombie with live company. Priorities can: the
  // zombie gets the lowest, and then the best of the group is asked for.
  constexpr int nicest = 19;
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(leader), nicest) == 0) {
    errno = 0;
    const int best = getpriority(PRIO_PGRP, static_cast<id_t>(leader));
    if (errno == 0 && best >= nicest) return true;
  }
  return !lives_in_group(leader);
}

bool lives_in_group(pid_t group) noexcept {
  const std::vector<ProcessEntry> all = all_processes();
  return all.empty() || std::ranges::any_of(all, [group](const ProcessEntry& entry) {
           return entry.group == group && !entry.zombie;
         });
}

}  // namespace gather::process
