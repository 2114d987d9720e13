/// Time limits that are percents of a median: of what the tasks took that have passed so far. Knows no tasks'
/// ends and no clock.
#pragma once

#include "core/job/model.hpp"
#include "core/run/kind.hpp"

#include <array>
#include <functional>
#include <optional>
#include <queue>
#include <set>
#include <vector>

namespace gather::run {

/// The median of what it was given so far; of an even number the smaller one of the middle.
class RunningMedian {
 public:
  void add(Duration length);
  std::size_t count() const { return lower_.size() + upper_.size(); }
  /// Requires: something was added.
  Duration value() const { return lower_.top(); }

 private:
  std::priority_queue<Duration> lower_;  // As many as upper_, or one more.
  std::priority_queue<Duration, std::vector<Duration>, std::greater<>> upper_;
};

/// For attempts of tasks that have such a limit. A median counts tasks of one kind, and only those that have
/// such a limit themselves; there is none before three of them have passed.
class MedianLimits {
 public:
  static constexpr std::size_t least_passed = 3;

  struct Attempt {
    job::TaskId id;
    Kind kind;
    int percent;
    Duration start;
  };
  void started(const Attempt& attempt);
  /// No-op for one that has been taken as expired.
  void ended(const Attempt& attempt);
  /// One with such a limit has passed and took this long.
  void passed(Kind kind, Duration length);

  /// When the next of those that run reaches its limit, as things are; nothing if none does.
  std::optional<Duration> next() const;

  struct Expired {
    job::TaskId id;
    Duration limit;
  };
  /// One that has reached its limit; it is no longer among those that run.
  std::optional<Expired> take_expired(Duration now);

 private:
  /// Those of one kind and one percentage reach their limits in the order of their starts.
  struct Group {
    Kind kind;
    int percent;
    std::set<std::pair<Duration, job::TaskId>> running = {};
  };

  Group& group_of(const Attempt& attempt);
  std::optional<Duration> limit_of(const Group& group) const;

  std::array<RunningMedian, kind_count> medians_;
  std::vector<Group> groups_;  // Few: jobs have few such limits.
};

}  // namespace gather::run
