/// What running a job concurrently gained over running it one task at a time, measured on pairs of runs.
///
/// W is a wall, Σd the sum of its tasks' lengths; s the sync pass of a pair, a the async one.
#pragma once

#include "core/analyse/bound.hpp"
#include "core/analyse/statistics.hpp"
#include "core/base/duration.hpp"
#include "core/job/model.hpp"
#include "core/run/kind.hpp"
#include "core/run/record.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gather::analyse {

/// Two runs of one job, one after the other.
struct Pair {
  run::Record sync;
  run::Record async;
};

/// Least, middle and most of lengths of time; the median is one of those measured, the lower of two.
struct Lengths {
  Duration least{};
  Duration median{};
  Duration most{};
};

/// One side of a comparison, over its passes.
struct Side {
  Lengths wall;
  Lengths sum;             ///< Σd.
  std::size_t passed = 0;  ///< Tasks that passed in every pass; flaky ones count.
  run::LimitsInForce limits;
};

/// How much longer the tasks of one kind took when they ran together.
struct KindContention {
  run::Kind kind = run::Kind::process;
  double ratio = 1;  ///< Geometric mean over pairs of Σd_a / Σd_s.
};

/// A task that took longer when it ran with others.
struct Slowed {
  job::TaskId task{};
  double ratio = 1;  ///< Geometric mean over pairs of d_a / d_s.
  Duration extra{};  ///< Mean over pairs of d_a - d_s.
};

enum class Verdict : std::uint8_t {
  faster,      ///< Async: by the interval, or with fewer than six pairs in every one of them.
  slower,      ///< Likewise.
  none,        ///< The interval holds 1, or the pairs disagree, or there is nothing to divide by.
  incomplete,  ///< Not every task passed in every pass, so the passes did different work.
};

struct Comparison {
  std::size_t pairs = 0;
  std::size_t tasks = 0;
  Side sync;
  Side async;
  // Each is a ratio for every pair; not set if one pair has nothing to divide by. S = N / C × F holds for
  // every pair, and so for the geometric means.
  std::optional<Ratio> speedup;       ///< S = W_s / W_a.
  std::optional<Ratio> naive;         ///< N = Σd_a / W_a.
  std::optional<Ratio> contention;    ///< C = Σd_a / Σd_s.
  std::optional<Ratio> sync_factor;   ///< F = W_s / Σd_s: what the sync pass spent between its tasks.
  std::optional<Ratio> efficiency;    ///< B / W_a.
  std::optional<Interval> interval;   ///< Of S, at 95 %; from six pairs on.
  std::size_t faster_pairs = 0;       ///< Pairs with S > 1.
  std::vector<KindContention> kinds;  ///< Kinds with something to compare; no milestones.
  std::vector<Slowed> slowed;         ///< By at least 5 % and 10 ms, most extra time first; at most three.
  Bound bound;                        ///< The median of the async passes' lower bounds.
  Lengths bounds;
  Duration lag_p99{};  ///< The largest of all passes.
  Verdict verdict = Verdict::none;
};

/// Requires at least one pair, and every record to be of `job`.
Comparison compare(const job::Job& job, std::span<const Pair> pairs);

}  // namespace gather::analyse
