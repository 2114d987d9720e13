/// What follows from the needs of a job's tasks: order, paths, and the part that some tasks stand on.
///
/// Every function requires a job without cycles (load() refuses others), is linear in tasks and needs (the
/// order: times the logarithm of the tasks), and uses no recursion.
#pragma once

#include "core/job/model.hpp"

#include <span>
#include <string>
#include <vector>

namespace gather::job {

/// Who needs whom, the other way round; each list in file order.
class Dependants {
 public:
  explicit Dependants(const Job& job);

  /// How many tasks the job had.
  std::size_t size() const { return begins_.size() - 1; }

  /// Valid as long as this object.
  std::span<const TaskId> of(TaskId task) const {
    return std::span(dependants_)
        .subspan(begins_[index(task)], begins_[index(task) + 1] - begins_[index(task)]);
  }

 private:
  // Compressed rows: task t's dependants are dependants_[begins_[t]] up to dependants_[begins_[t + 1]].
  std::vector<std::size_t> begins_;
  std::vector<TaskId> dependants_;
};

/// Every task after all it needs; among those that could come next, the first in the file.
/// Source: A. Kahn, "Topological sorting of large networks", Communications of the ACM 5(11), 1962.
std::vector<TaskId> topological_order(const Job& job);

/// For each task the longest time from its start to the end of the job: its own expected length plus the
/// largest rank among its dependants. Stays at the largest Duration instead of overflowing. Requires one
/// expected length for each task, none negative.
std::vector<Duration> upward_ranks(const Job& job, std::span<const Duration> expected);

/// The chain of tasks, each needed by the next, whose lengths add up to the most; of several the first in the
/// file. From a task without needs to one that nobody needs; empty for a job without tasks.
std::vector<TaskId> critical_path(const Job& job, std::span<const Duration> lengths);

/// Keeps only the tasks `ids` and all they need, in file order, numbered anew.
/// Throws Error(usage) for an unknown id, with the nearest known one.
Job select(Job job, std::span<const std::string> ids);

}  // namespace gather::job
