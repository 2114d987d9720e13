/// The shortest time in which a job could have run, from the lengths of its tasks: what no schedule beats.
#pragma once

#include "core/base/duration.hpp"
#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <span>
#include <string>
#include <vector>

namespace gather::analyse {

/// A lower bound of the wall, and the term it comes from: "critical path", "jobs=8", "processes=4",
/// "fetches=32", "example.org:80=6" (its places) or "example.org:80 at 5/s". Of equal terms the first.
struct Bound {
  Duration length{};
  std::string by = "critical path";

  friend bool operator==(const Bound&, const Bound&) = default;
};

/// The longest chain of tasks, each of which had to end before the next could start.
struct CriticalPath {
  Duration length{};
  std::vector<job::TaskId> tasks;  ///< In order; those of no length (milestones) are left out.
};

/// What a run of `job` needs at least when its tasks take `lengths` (one for each, none negative) and
/// `critical` is its longest chain: the largest of the chain, sum / jobs, for processes and fetches their sum
/// / their limit, each length counted once for each slot that the task takes, for each pool likewise by
/// units, for each host the sum / its places, and (n - 1) intervals of its rate, where n counts the `starts`
/// (requests made by each task). Rounds down, so that it stays a bound; sums stay at the largest Duration
/// instead of overflowing, which leaves it one too.
Bound lower_bound(const job::Job& job, std::span<const Duration> lengths, Duration critical,
                  std::span<const std::size_t> starts, const run::LimitsInForce& limits);

/// The bound and the chain before a run, from expected lengths; 0 where nothing is known, so that both are
/// then too small rather than too large.
struct PlanBounds {
  Duration sum{};
  CriticalPath critical;
  Bound bound;
};

/// Every fetch is one request. Requires one expected length for each task, none negative, and a job without
/// cycles.
PlanBounds plan_bounds(const job::Job& job, std::span<const Duration> expected,
                       const run::LimitsInForce& limits);

/// The sum, or the largest Duration where it would overflow.
Duration saturating_sum(std::span<const Duration> lengths);

}  // namespace gather::analyse
