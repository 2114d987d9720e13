/// Which tasks run now, longest first, and how far the run is: the text of the live line and the heartbeat.
#pragma once

#include "core/base/duration.hpp"
#include "core/job/model.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::report {

class Running {
 public:
  explicit Running(std::size_t tasks) : current_(tasks) {}  ///< There may come more.

  /// Starts must be told in the order of `at`.
  void started(job::TaskId id, Duration at);
  void stopped(job::TaskId id);  ///< An attempt ended; no matter if it never started.
  void ended(bool failed);       ///< A task reached its end.

  /// "[12/58] 1 failed, 8 running: build 3.2 s, test 1.1 s", with the longest-running named, at most eight.
  /// `between` comes after the "[12/58] ".
  std::string text(const job::Job& job, Duration now, std::string_view between = {}) const;

  struct Current {
    job::TaskId id{};
    Duration since{};  ///< How long it has been running.
  };
  /// What runs, longest first.
  std::vector<Current> tasks(Duration now) const;

  std::size_t ended() const { return ended_; }

 private:
  struct Entry {
    job::TaskId id{};
    Duration at{};
    std::uint32_t start = 0;
  };
  bool alive(const Entry& entry) const { return current_[job::index(entry.id)] == entry.start; }

  std::size_t ended_ = 0;
  std::size_t failed_ = 0;
  std::size_t running_ = 0;
  std::uint32_t starts_ = 0;
  // Oldest first, with entries of attempts that have ended among them until they reach the front or are too
  // many.
  std::deque<Entry> entries_;
  std::vector<std::uint32_t> current_;  ///< By TaskId, the start that runs now; 0 if none.
};

}  // namespace gather::report
