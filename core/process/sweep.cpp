#include "core/process/sweep.hpp"

#include "core/process/proc.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

namespace gather::process {
namespace {

using namespace std::chrono_literals;

/// Whether we have no child at all, not even one that has ended. Costs no look into /proc.
bool childless() noexcept {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

/// Those strays that are our own children, zombies as well, at once where the kernel has these files; most
/// do.
std::vector<pid_t> direct_strays(const Spared& spared) {
  std::vector<pid_t> children;
  std::error_code error;
  // A child is in the list of the thread that started it.
  std::filesystem::directory_iterator thread("/proc/self/task", error);
  for (; !error && thread != std::filesystem::directory_iterator(); thread.increment(error)) {
    std::istringstream list(read_of(getpid(), "task/" + thread->path().filename().native() + "/children"));
    for (pid_t child = 0; list >> child;)
      if (!spared(child) && !spared(getsid(child))) children.push_back(child);
  }
  return children;
}

/// Everything below this process, zombies as well.
std::vector<ProcessEntry> tree(const Spared& spared) {
  std::unordered_multimap<pid_t, ProcessEntry> children;
  for (const ProcessEntry& entry : all_processes()) children.emplace(entry.parent, entry);
  std::vector<ProcessEntry> found;
  std::vector<pid_t> parents{getpid()};
  std::unordered_set<pid_t> seen;  // Numbers may be given out anew while /proc is read.
  while (!parents.empty()) {
    const auto [first, last] = children.equal_range(parents.back());
    parents.pop_back();
    for (auto child = first; child != last; ++child) {
      const ProcessEntry& entry = child->second;
      if (spared(entry.pid) || spared(entry.session) || !seen.insert(entry.pid).second) continue;
      found.push_back(entry);
      parents.push_back(entry.pid);
    }
  }
  return found;
}

}  // namespace

void reap_strays(const Spared& spared) {
  // The kernel names the first of those that have ended. One that is spared hides the others, until its owner
  // reaps it; whoever must not wait for that asks /proc (strays).
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    if (spared(info.si_pid)) return;
    waitpid(info.si_pid, nullptr, WNOHANG);
  }
}

std::vector<pid_t> descendants(const Spared& spared) {
  std::vector<pid_t> alive;
  for (const ProcessEntry& entry : tree(spared))
    if (!entry.zombie) alive.push_back(entry.pid);
  return alive;
}

std::vector<pid_t> strays(const Spared& spared) {
  if (childless()) return {};
  std::vector<pid_t> alive;
  for (const ProcessEntry& entry : tree(spared)) {
    if (!entry.zombie)
      alive.push_back(entry.pid);
    else if (entry.parent == getpid())
      waitpid(entry.pid, nullptr, WNOHANG);
  }
  return alive;
}

std::vector<Leftover> describe(const std::vector<pid_t>& processes) {
  std::vector<Leftover> result;
  for (const pid_t pid : processes) {
    std::string command = command_of(pid);
    if (!command.empty())
      result.push_back(
          {pid, std::move(command), std::string(variable_in(environment_of(pid), task_variable))});
  }
  return result;
}

void signal_all(const std::vector<pid_t>& processes, int number) noexcept {
  for (const pid_t pid : processes) kill(pid, number);
}

std::vector<pid_t> stop_strays(const Spared& spared) {
  std::unordered_set<pid_t> stopped;
  constexpr int most_looks = 100;  // One that keeps forking faster than we look is met again by the caller.
  for (int look = 0; look < most_looks; ++look) {
    const std::size_t before = stopped.size();
    // One that forks and ends, again and again, has another number by the time that all of /proc is read; but
    // each of them comes to us when its parent ends.
    for (const pid_t pid : direct_strays(spared))
      if (stopped.insert(pid).second) kill(pid, SIGSTOP);
    for (const pid_t pid : strays(spared))
      if (stopped.insert(pid).second) kill(pid, SIGSTOP);
    if (stopped.size() == before) break;
  }
  return {stopped.begin(), stopped.end()};
}

bool kill_strays(const Spared& spared) {
  const auto deadline = std::chrono::steady_clock::now() + 5s;
  for (;;) {
    const std::vector<pid_t> stopped = stop_strays(spared);
    if (stopped.empty()) return true;
    signal_all(stopped, SIGKILL);
    if (std::chrono::steady_clock::now() >= deadline) return false;
    poll(nullptr, 0, 1);  // Until the kernel has ended them.
  }
}

}  // namespace gather::process
