/// Ending every process that descends from this one, whatever session or group it fled to. For a process that
/// is the reaper of its orphans (PR_SET_CHILD_SUBREAPER): theirs all lead to it.
#pragma once

#include "core/base/duration.hpp"
#include "core/process/starter.hpp"

#include <sys/types.h>

#include <functional>
#include <vector>

namespace gather::process {

/// Whether a child, by its number, is still somebody's: neither it nor what descends from it is touched, nor
/// what lives in the session that it leads.
using Spared = std::function<bool(pid_t)>;
inline bool spares_nobody(pid_t) noexcept { return false; }

/// Reaps every child that has ended, but those spared.
void reap_strays(const Spared& spared);

/// What descends from this process and is alive, but what is spared, as /proc shows it now.
std::vector<pid_t> descendants(const Spared& spared = spares_nobody);

/// What descends from this process and is alive, but what is spared, as /proc shows it now; reaps meanwhile.
std::vector<pid_t> strays(const Spared& spared);

/// What is known of them, for people; those that end meanwhile are left out.
std::vector<Leftover> describe(const std::vector<pid_t>& processes);

/// Sends a signal to each.
void signal_all(const std::vector<pid_t>& processes, int number) noexcept;

/// Stops (SIGSTOP) strays until no new ones come to light, and gives their numbers, with some among them that
/// have just ended. Empty only if there are none.
std::vector<pid_t> stop_strays(const Spared& spared);

/// Kills all strays until none is left: stops them first, so that none of them forks away. False if some
/// could not be killed within five seconds: the kernel holds them, or they run as somebody else.
bool kill_strays(const Spared& spared);

}  // namespace gather::process
