#include "core/analyse/bound.hpp"

#include "core/job/graph.hpp"
#include "core/run/kind.hpp"

#include <fmt/format.h>

#include <cassert>

namespace gather::analyse {
namespace {

Duration sum_of_kind(const job::Job& job, std::span<const Duration> lengths, run::Kind kind) {
  Duration sum{};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (run::kind_of(job.tasks[i].action) != kind) continue;
    const Duration both[] = {sum, lengths[i]};
    sum = saturating_sum(both);
  }
  return sum;
}

}  // namespace

Duration saturating_sum(std::span<const Duration> lengths) {
  Duration sum{};
  for (const Duration length : lengths) {
    if (length > Duration::max() - sum) return Duration::max();
    sum += length;
  }
  return sum;
}

Bound lower_bound(const job::Job& job, std::span<const Duration> lengths, Duration critical,
                  const run::LimitsInForce& limits) {
  assert(lengths.size() == job.tasks.size());
  Bound bound{.length = critical};
  const auto consider = [&](std::string_view what, Duration sum, std::size_t slots) {
    assert(slots >= 1);
    const Duration least = sum / static_cast<Duration::rep>(slots);
    if (least > bound.length) bound = {least, fmt::format("{}={}", what, slots)};
  };
  consider("jobs", saturating_sum(lengths), limits.jobs);
  consider("processes", sum_of_kind(job, lengths, run::Kind::process), limits.processes);
  consider("fetches", sum_of_kind(job, lengths, run::Kind::fetch), limits.fetches);
  return bound;
}

PlanBounds plan_bounds(const job::Job& job, std::span<const Duration> expected,
                       const run::LimitsInForce& limits) {
  PlanBounds result;
  result.sum = saturating_sum(expected);
  std::vector<Duration> chain;
  for (const job::TaskId task : job::critical_path(job, expected)) {
    const Duration length = expected[job::index(task)];
    if (length.count() == 0) continue;
    chain.push_back(length);
    result.critical.tasks.push_back(task);
  }
  result.critical.length = saturating_sum(chain);
  result.bound = lower_bound(job, expected, result.critical.length, limits);
  return result;
}

}  // namespace gather::analyse
