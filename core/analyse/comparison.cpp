#include "core/analyse/comparison.hpp"

#include "core/analyse/figures.hpp"

#include <algorithm>
#include <cassert>
#include <ranges>

namespace gather::analyse {
namespace {

constexpr double noticeably_slower = 1.05;
// Below it, it is the machine's noise: a start of a process varies by as much.
constexpr Duration least_extra = std::chrono::milliseconds(10);
constexpr std::size_t most_slowed = 3;

/// Not finite where there is nothing to divide by; summarise() leaves such a ratio out.
double ratio(Duration a, Duration b) { return to_seconds(a) / to_seconds(b); }

Lengths summarise_lengths(std::vector<Duration> lengths) {
  std::ranges::sort(lengths);
  return {lengths.front(), lengths[(lengths.size() - 1) / 2], lengths.back()};
}

template <typename Measure>
std::optional<Ratio> over_pairs(std::size_t pairs, const Measure& measure) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < pairs; ++i) ratios.push_back(measure(i));
  return summarise(ratios);
}

Side side(std::span<const Pair> pairs, run::Record Pair::* which, std::span<const Figures> figures) {
  Side result;
  std::vector<Duration> sums;
  for (const Figures& each : figures) sums.push_back(each.sum);
  std::vector<Duration> walls;
  for (const Pair& pair : pairs) walls.push_back((pair.*which).wall);
  for (std::size_t task = 0; task < (pairs.front().*which).tasks.size(); ++task)
    if (std::ranges::all_of(
            pairs, [&](const Pair& pair) { return run::is_success((pair.*which).tasks[task].state); }))
      ++result.passed;
  result.wall = summarise_lengths(std::move(walls));
  result.sum = summarise_lengths(std::move(sums));
  result.limits = (pairs.front().*which).limits;
  return result;
}

Duration sum_of_kind(const job::Job& job, const run::Record& record, run::Kind kind) {
  std::vector<Duration> lengths;
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    if (run::kind_of(job.tasks[i].action) == kind) lengths.push_back(record.tasks[i].length());
  return saturating_sum(lengths);
}

std::vector<KindContention> contention_by_kind(const job::Job& job, std::span<const Pair> pairs) {
  std::vector<KindContention> result;
  for (const run::Kind kind : {run::Kind::process, run::Kind::fetch, run::Kind::sleep}) {
    const auto measured = over_pairs(pairs.size(), [&](std::size_t i) {
      return ratio(sum_of_kind(job, pairs[i].async, kind), sum_of_kind(job, pairs[i].sync, kind));
    });
    if (measured) result.push_back({kind, measured->mean});
  }
  return result;
}

std::vector<Slowed> most_slowed_tasks(std::size_t tasks, std::span<const Pair> pairs) {
  const auto pair_count = static_cast<Duration::rep>(pairs.size());
  std::vector<Slowed> result;
  for (std::size_t task = 0; task < tasks; ++task) {
    Duration extra{};
    const auto measured = over_pairs(pairs.size(), [&](std::size_t i) {
      const Duration alone = pairs[i].sync.tasks[task].length();
      const Duration together = pairs[i].async.tasks[task].length();
      extra += together - alone;
      return ratio(together, alone);
    });
    if (measured && measured->mean >= noticeably_slower && extra / pair_count >= least_extra)
      result.push_back({job::TaskId(task), measured->mean, extra / pair_count});
  }
  std::ranges::sort(result, [](const Slowed& a, const Slowed& b) {
    return a.extra != b.extra ? a.extra > b.extra : a.task < b.task;
  });
  if (result.size() > most_slowed) result.resize(most_slowed);
  return result;
}

Verdict judge(const Comparison& comparison) {
  if (comparison.sync.passed < comparison.tasks || comparison.async.passed < comparison.tasks)
    return Verdict::incomplete;
  if (!comparison.speedup) return Verdict::none;
  const Interval sure =
      comparison.interval.value_or(Interval{comparison.speedup->least, comparison.speedup->most});
  if (sure.holds(1)) return Verdict::none;
  return sure.low > 1 ? Verdict::faster : Verdict::slower;
}

}  // namespace

Comparison compare(const job::Job& job, std::span<const Pair> pairs) {
  assert(!pairs.empty());
  std::vector<Figures> sync;
  std::vector<Figures> async;
  std::vector<double> speedups;
  Comparison result;
  result.pairs = pairs.size();
  result.tasks = job.tasks.size();
  for (const Pair& pair : pairs) {
    sync.push_back(figures(job, pair.sync));
    async.push_back(figures(job, pair.async));
    speedups.push_back(ratio(pair.sync.wall, pair.async.wall));
    if (speedups.back() > 1) ++result.faster_pairs;
    result.lag_p99 = std::max({result.lag_p99, pair.sync.lag.p99, pair.async.lag.p99});
  }
  result.sync = side(pairs, &Pair::sync, sync);
  result.async = side(pairs, &Pair::async, async);

  const std::size_t n = pairs.size();
  result.speedup = summarise(speedups);
  result.interval = interval_95(speedups);
  result.naive = over_pairs(n, [&](std::size_t i) { return ratio(async[i].sum, async[i].wall); });
  result.contention = over_pairs(n, [&](std::size_t i) { return ratio(async[i].sum, sync[i].sum); });
  result.sync_factor = over_pairs(n, [&](std::size_t i) { return ratio(sync[i].wall, sync[i].sum); });
  result.efficiency =
      over_pairs(n, [&](std::size_t i) { return ratio(async[i].bound.length, async[i].wall); });
  result.kinds = contention_by_kind(job, pairs);
  result.slowed = most_slowed_tasks(job.tasks.size(), pairs);

  std::vector<Duration> bounds;
  for (const Figures& each : async) bounds.push_back(each.bound.length);
  result.bounds = summarise_lengths(std::move(bounds));
  const auto of_length = [&](const Figures& each) { return each.bound.length == result.bounds.median; };
  result.bound = std::ranges::find_if(async, of_length)->bound;
  result.verdict = judge(result);
  return result;
}

}  // namespace gather::analyse
