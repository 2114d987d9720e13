#include "core/analyse/bound.hpp"

#include "core/job/graph.hpp"
#include "core/run/hosts.hpp"
#include "core/run/kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace gather::analyse {
namespace {

/// Each length so many times as `units_of(task)` says.
template <class UnitsOf>
Duration weighted_sum(const job::Job& job, std::span<const Duration> lengths, UnitsOf units_of) {
  Duration sum{};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto units = static_cast<Duration::rep>(units_of(job.tasks[i]));
    if (units > 1 && lengths[i] > Duration::max() / units) return Duration::max();
    const Duration both[] = {sum, lengths[i] * units};
    sum = saturating_sum(both);
  }
  return sum;
}

/// Who takes more than there is takes it all.
std::size_t slots_of(const job::Task& task, std::size_t limit) {
  return std::min(static_cast<std::size_t>(task.weight), limit);
}

Duration sum_of_kind(const job::Job& job, std::span<const Duration> lengths, run::Kind kind,
                     std::size_t limit) {
  return weighted_sum(job, lengths, [&](const job::Task& task) {
    return run::kind_of(task.action) == kind ? slots_of(task, limit) : 0;
  });
}

void consider_hosts(const job::Job& job, std::span<const Duration> lengths,
                    std::span<const std::size_t> starts, const run::LimitsInForce& limits, Bound& bound) {
  const run::Hosts hosts(job, limits.hosts);
  struct Use {
    Duration sum{};
    std::size_t starts = 0;
  };
  std::vector<Use> uses(hosts.all().size());
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const run::HostId host = hosts.of(job::TaskId(i));
    // How long a task with mirrors was at which of them is not known: it bounds none.
    if (host == run::no_host || !hosts.mirrors(job::TaskId(i)).empty()) continue;
    Use& use = uses[run::index(host)];
    const Duration both[] = {use.sum, lengths[i]};
    use.sum = saturating_sum(both);
    use.starts += starts[i];
  }
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const run::Hosts::Limited& limited = hosts.all()[i];
    const Duration served = uses[i].sum / static_cast<Duration::rep>(limited.max);
    if (served > bound.length) bound = {served, fmt::format("{}={}", job::spell(limited.host), limited.max)};
    if (!limited.rate || uses[i].starts == 0) continue;
    const Duration::rep gaps = static_cast<Duration::rep>(uses[i].starts - 1);
    const Duration interval = limited.rate->interval();
    const Duration paced = gaps > Duration::max() / interval ? Duration::max() : gaps * interval;
    if (paced > bound.length)
      bound = {paced, fmt::format("{} at {}", job::spell(limited.host), job::spell(*limited.rate))};
  }
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
                  std::span<const std::size_t> starts, const run::LimitsInForce& limits) {
  assert(lengths.size() == job.tasks.size() && starts.size() == lengths.size());
  Bound bound{.length = critical};
  const auto consider = [&](std::string_view what, Duration sum, std::size_t slots) {
    assert(slots >= 1);
    const Duration least = sum / static_cast<Duration::rep>(slots);
    if (least > bound.length) bound = {least, fmt::format("{}={}", what, slots)};
  };
  consider("jobs",
           weighted_sum(job, lengths,
                        [&](const job::Task& task) {
                          return task.exclusive ? limits.jobs : slots_of(task, limits.jobs);
                        }),
           limits.jobs);
  consider("processes", sum_of_kind(job, lengths, run::Kind::process, limits.processes), limits.processes);
  consider("fetches", sum_of_kind(job, lengths, run::Kind::fetch, limits.fetches), limits.fetches);
  for (std::size_t i = 0; i < limits.pools.size(); ++i)
    consider(fmt::format("pool {}", limits.pools[i].name),
             weighted_sum(job, lengths,
                          [&](const job::Task& task) -> std::size_t {
                            const auto share =
                                std::ranges::find(task.pools, job::PoolId(static_cast<std::uint32_t>(i)),
                                                  &job::PoolShare::pool);
                            return share == task.pools.end() ? 0 : share->units;
                          }),
             limits.pools[i].size);
  consider_hosts(job, lengths, starts, limits, bound);
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
  const std::vector<std::size_t> starts(expected.size(), 1);
  result.bound = lower_bound(job, expected, result.critical.length, starts, limits);
  return result;
}

}  // namespace gather::analyse
