/// How long tasks are expected to take: what rank order, plans and bounds start from.
#pragma once

#include "core/base/duration.hpp"
#include "core/job/model.hpp"

#include <optional>
#include <vector>

namespace gather::run {

/// A source of expected durations. The record will be one; a job file alone has only what it states.
class Durations {
 public:
  virtual ~Durations() = default;
  /// Nothing if it is not known.
  virtual std::optional<Duration> known(const job::Task& task) const = 0;
};

/// What the job file says: the length of a sleep, and `estimate`.
class StatedDurations final : public Durations {
 public:
  std::optional<Duration> known(const job::Task& task) const override;
};

/// One for each task: known, else the median of the known ones of its kind, else a second. Milestones take
/// none.
std::vector<Duration> expected_durations(const job::Job& job, const Durations& durations);

}  // namespace gather::run
