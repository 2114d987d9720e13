#include "core/process/group.hpp"

#include "core/process/descriptor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>

namespace gather::process {
namespace {

/// What /proc/PID/stat begins with, cut off before its numbers end; empty if there is no such process.
std::string_view read_stat(int proc, const char* pid, std::array<char, 512>& text) noexcept {
  std::array<char, 64> name{};
  std::string_view(pid).copy(name.data(), 20);
  std::string_view("/stat").copy(name.data() + std::string_view(name.data()).size(), 5);
  const Descriptor file(openat(proc, name.data(), O_RDONLY | O_CLOEXEC));
  const ssize_t length = file ? read(file.get(), text.data(), text.size()) : 0;
  return {text.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

/// "PID (NAME) STATE PPID GROUP …", where NAME may hold anything.
bool lives_in(pid_t group, std::string_view stat) noexcept {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 > stat.size()) return false;
  const char state = stat[name_end + 2];
  if (state == 'Z' || state == 'X') return false;
  std::string_view rest = stat.substr(name_end + 4);
  rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  pid_t its_group = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), its_group);
  return its_group == group;
}

}  // namespace

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
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return true;
  std::array<char, 512> text;
  while (const dirent* const entry = readdir(proc.get()))
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
        lives_in(group, read_stat(dirfd(proc.get()), entry->d_name, text)))
      return true;
  return false;
}

}  // namespace gather::process
