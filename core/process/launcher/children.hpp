/// Children: the table of those that the launcher has started, until each is reaped.
#pragma once

#include "core/process/descriptor.hpp"
#include "core/process/launcher/isolation.hpp"
#include "core/process/launcher/staying.hpp"
#include "core/process/reap.hpp"
#include "core/process/starter.hpp"
#include "core/process/sweep.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace gather::process::launcher {

struct Child {
  pid_t pid = -1;
  Descriptor pidfd;
  ChildPolicy policy;
  std::string attempt;         ///< Of one that may leave something: Staying::attempt_of.
  std::optional<Init> init{};  ///< Of one that is isolated: `pid` is its init's.
};

/// By gather's number for each, and with what they may leave behind.
class Children {
 public:
  void add(std::uint64_t id, Child child);
  /// Null once it was reaped.
  Child* find(std::uint64_t id);

  /// Whether nobody but it, which has ended, is left of its group that was not to stay.
  static bool is_done(const Child& child);
  /// Kills what is left of its group and is not to stay, and reaps it. Requires: it is there.
  Reaped reap(std::uint64_t id);
  /// Forgets all, who are orphans then.
  void clear();

  /// Sends a signal to everything that descends from this process, but to what stays.
  void signal_all(int number) const;
  /// The longest that one of them is to have between SIGTERM and SIGKILL, and no less than `least`.
  Duration longest_grace(Duration least) const;

  const Staying& staying() const noexcept { return staying_; }
  /// They, and what stays.
  Spared spare_all() const;
  Spared spare_staying() const;

 private:
  std::unordered_map<std::uint64_t, Child> by_id_;
  std::unordered_map<pid_t, std::uint64_t> by_pid_;
  Staying staying_;
};

}  // namespace gather::process::launcher
