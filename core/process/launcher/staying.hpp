/// What children have left behind for good (ChildPolicy::leave), and how it is known again.
#pragma once

#include "core/async/io/environment.hpp"

#include <sys/types.h>

#include <string>
#include <unordered_set>
#include <vector>

namespace gather::process::launcher {

/// A process stays if it lives in the session of a child that has ended well, or was started with the names
/// of its task and attempt in its environment, in whatever session it is. So a daemon may leave its session,
/// or its environment, but not both.
class Staying {
 public:
  /// `leader` is about to be reaped: its number, and that of its session, may be given out again only when
  /// nobody lives there any more.
  void add(pid_t leader, const std::string& attempt);
  /// What add() knows a child's attempt by; empty if its environment does not tell.
  static std::string attempt_of(const async::Environment& environment);
  /// `leader` is the number of a new child.
  void forget(pid_t leader) { sessions_.erase(leader); }

  /// For one that is a session's number as well. Costs nothing while nothing was left.
  bool contains(pid_t pid) const;

  /// Those that live now, with all that descends from them.
  std::vector<pid_t> alive() const;

 private:
  std::unordered_set<pid_t> sessions_;
  std::unordered_set<std::string> attempts_;
};

}  // namespace gather::process::launcher
