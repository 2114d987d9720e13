/// Reaping one child: how it ended and what it cost.
#pragma once

#include "core/process/starter.hpp"

#include <sys/types.h>

namespace gather::process {

/// What a status of waitpid says of a child that has ended.
Exit exit_of(int status) noexcept;

/// Whether it has ended with exit 0. Does not reap it.
bool ended_well(pid_t pid) noexcept;

/// Waits for a child of ours that has ended, or is about to, and gives its end. Where it can't be waited for
/// (somebody else has), the end reads as exit 0 without usage.
Reaped reap_child(pid_t pid) noexcept;

}  // namespace gather::process
