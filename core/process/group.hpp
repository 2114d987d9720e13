/// Asking whether a process group still lives; the kernel has no plain question for it.
#pragma once

#include <sys/types.h>

namespace gather::process {

/// Whether nobody lives in the group any more whose leader is our zombie. Two system calls if the zombie is
/// the last, which it nearly always is; otherwise all of /proc is read, which may take milliseconds.
///
/// A process that has made itself as nice as can be (19) may be missed; signals to the group reach it all
/// the same. Requires: the leader has ended and was not reaped.
bool is_last_of_group(pid_t leader) noexcept;

/// Whether /proc shows a process in `group` that is more than a zombie. Orphans that have ended are zombies
/// until init collects them, and in containers that may be late or never. True if /proc can't be read.
bool lives_in_group(pid_t group) noexcept;

}  // namespace gather::process
