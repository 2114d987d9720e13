#include "core/process/proc.hpp"

#include "core/process/descriptor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>

namespace gather::process {
namespace {

/// "PID (NAME) STATE PPID GROUP SESSION …", where NAME may hold anything.
std::optional<ProcessEntry> parse(pid_t pid, std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 > stat.size()) return std::nullopt;
  const char state = stat[name_end + 2];
  ProcessEntry entry{.pid = pid, .zombie = state == 'Z' || state == 'X'};
  std::string_view rest = stat.substr(name_end + 4);
  for (pid_t* const field : {&entry.parent, &entry.group, &entry.session}) {
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), *field);
    if (error != std::errc()) return std::nullopt;
    rest.remove_prefix(std::min(static_cast<std::size_t>(end - rest.data()) + 1, rest.size()));
  }
  return entry;
}

}  // namespace

std::string read_of(pid_t pid, std::string_view file) {
  constexpr std::size_t most = std::size_t{256} * 1024;
  const std::string path = "/proc/" + std::to_string(pid) + "/" + std::string(file);
  const Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string content;
  std::array<char, 4096> piece;
  while (opened && content.size() < most) {
    const ssize_t length = read(opened.get(), piece.data(), piece.size());
    if (length <= 0) break;
    content.append(piece.data(), static_cast<std::size_t>(length));
  }
  return content;
}

std::vector<ProcessEntry> all_processes() {
  std::vector<ProcessEntry> entries;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (!proc) return entries;
  while (const dirent* const entry = readdir(proc.get())) {
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (const auto process = parse(pid, read_of(pid, "stat"))) entries.push_back(*process);
  }
  return entries;
}

std::string command_of(pid_t pid) {
  std::string command = read_of(pid, "cmdline");
  if (command.empty()) command = read_of(pid, "comm");
  while (!command.empty() && (command.back() == '\0' || command.back() == '\n')) command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  return command;
}

std::string environment_of(pid_t pid) {
  constexpr useconds_t pause_us = 500;
  constexpr int most_looks = 2000;  // A second: it may wait for a processor meanwhile.
  for (int look = 1;; ++look) {
    std::string environment = read_of(pid, "environ");
    // In the middle of an execve its new memory has nothing yet, arguments neither.
    if (!environment.empty() || look == most_looks || !read_of(pid, "cmdline").empty()) return environment;
    const auto entry = parse(pid, read_of(pid, "stat"));
    if (!entry || entry->zombie) return environment;
    usleep(pause_us);
  }
}

std::string_view variable_in(std::string_view environment, std::string_view name) {
  std::string_view rest = environment;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name))
      return entry.substr(name.size() + 1);
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
  }
  return {};
}

std::uint64_t own_peak_bytes() {
  const std::string status = read_of(getpid(), "status");
  constexpr std::string_view name = "VmHWM:";
  const std::size_t at = status.find(name);
  if (at == std::string::npos) return 0;
  const std::size_t digits = std::min(status.find_first_not_of(" \t", at + name.size()), status.size());
  std::uint64_t kilobytes = 0;
  std::from_chars(status.data() + digits, status.data() + status.size(), kilobytes);
  return kilobytes * 1024;
}

}  // namespace gather::process
