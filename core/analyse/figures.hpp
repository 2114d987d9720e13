/// The figures of one run: how long it took, how long its tasks took, and how much of the possible it
/// reached.
#pragma once

#include "core/analyse/bound.hpp"
#include "core/base/duration.hpp"
#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <optional>
#include <vector>

namespace gather::analyse {

/// d is the length of a task's last attempt, 0 for one that never ran.
struct Figures {
  Duration wall{};
  Duration sum{};  ///< Of every d.
  /// sum / wall: how many tasks ran at once on average. Other tools print it as the speed-up, which it is
  /// only when tasks don't slow each other down. Not set for a wall of 0.
  std::optional<double> naive_concurrency;
  CriticalPath critical;
  Bound bound;                          ///< Never more than the wall.
  std::optional<double> efficiency;     ///< bound / wall, up to 1. Not set for a wall of 0.
  std::vector<job::TaskId> slowest;     ///< By d, longest first; at most five, none of d = 0.
  std::optional<Duration> median_task;  ///< Of every d above 0.
};

/// The chain in the critical path follows the needs that had ended when the task began: in a run that is
/// every need of a task that ran, and none of one that was skipped.
///
/// Requires `record` to be of `job`, with as many tasks. wall >= bound holds in every run, because attempts
/// lie within the wall, a task begins after the needs that released it, and no limit is ever exceeded.
Figures figures(const job::Job& job, const run::Record& record);

}  // namespace gather::analyse
