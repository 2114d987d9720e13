/// What /proc tells of processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gather::process {

struct ProcessEntry {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  bool zombie = false;  ///< It has ended, and was not reaped.
};

/// Every process that we may see; empty if /proc can't be read. Takes milliseconds.
std::vector<ProcessEntry> all_processes();

/// What `file` of its folder holds, at most 256 KB of it; empty if it can't be read.
std::string read_of(pid_t pid, std::string_view file);

/// Its arguments with spaces between them, or its name if it shows none; empty if it is gone.
std::string command_of(pid_t pid);

/// The environment it was started with, a null behind each variable; empty if it has none, or hides it. Waits
/// for a program that is just being started, which has none yet.
std::string environment_of(pid_t pid);
/// The value of `name` in such an environment; empty if it has none.
std::string_view variable_in(std::string_view environment, std::string_view name);

/// The most memory that this process has had since its program began, in bytes; 0 if it can't be known.
std::uint64_t own_peak_bytes();

}  // namespace gather::process
