#include "core/analyse/figures.hpp"

#include "core/job/graph.hpp"

#include <algorithm>
#include <cassert>
#include <ranges>

namespace gather::analyse {
namespace {

constexpr std::size_t most_slowest = 5;

/// When the task went on from waiting for its needs, at the latest: its first start, or for a milestone its
/// end. Not set for one that never got so far.
std::optional<Duration> released_at(const run::TaskRecord& task) {
  if (!task.attempts.empty()) return task.started_at();
  return run::is_success(task.state) ? task.ended_at : std::nullopt;
}

CriticalPath critical_path(const job::Job& job, const run::Record& record) {
  constexpr auto nobody = static_cast<std::size_t>(-1);
  const std::size_t count = job.tasks.size();
  std::vector<Duration> longest(count);  // Of the chains that end with this task.
  std::vector<std::size_t> before(count, nobody);
  std::size_t last = nobody;
  for (const job::TaskId id : job::topological_order(job)) {
    const std::size_t i = job::index(id);
    const std::optional<Duration> released = released_at(record.tasks[i]);
    if (!released) continue;
    for (const job::TaskId need : job.tasks[i].needs) {
      const std::size_t n = job::index(need);
      const std::optional<Duration> ended = record.tasks[n].ended_at;
      if (!ended || *ended > *released || longest[n].count() == 0) continue;
      if (before[i] == nobody || longest[n] > longest[before[i]] ||
          (longest[n] == longest[before[i]] && n < before[i]))
        before[i] = n;
    }
    longest[i] = record.tasks[i].length() + (before[i] == nobody ? Duration(0) : longest[before[i]]);
  }
  for (std::size_t i = 0; i < count; ++i)
    if (longest[i].count() > 0 && (last == nobody || longest[i] > longest[last])) last = i;

  CriticalPath path;
  if (last == nobody) return path;
  path.length = longest[last];
  for (std::size_t i = last; i != nobody; i = before[i])
    if (record.tasks[i].length().count() > 0) path.tasks.push_back(job::TaskId(i));
  std::ranges::reverse(path.tasks);
  return path;
}

std::vector<job::TaskId> slowest(std::span<const Duration> lengths) {
  std::vector<job::TaskId> ids;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    if (lengths[i].count() > 0) ids.push_back(job::TaskId(i));
  const std::size_t kept = std::min(ids.size(), most_slowest);
  const auto slower = [&](job::TaskId a, job::TaskId b) {
    const Duration of_a = lengths[job::index(a)];
    const Duration of_b = lengths[job::index(b)];
    return of_a != of_b ? of_a > of_b : a < b;
  };
  std::ranges::partial_sort(ids, ids.begin() + static_cast<std::ptrdiff_t>(kept), slower);
  ids.resize(kept);
  return ids;
}

std::optional<Duration> median(std::vector<Duration> lengths) {
  std::erase(lengths, Duration(0));
  if (lengths.empty()) return std::nullopt;
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::ranges::nth_element(lengths, middle);
  return *middle;
}

/// Attempts of each task that asked its host: what the host's rate was kept for.
std::vector<std::size_t> requests(const run::Record& record) {
  std::vector<std::size_t> made;
  made.reserve(record.tasks.size());
  for (const run::TaskRecord& task : record.tasks)
    made.push_back(
        static_cast<std::size_t>(std::ranges::count_if(task.attempts, [](const run::AttemptRecord& attempt) {
          const auto* failed = std::get_if<run::TransferFailed>(&attempt.outcome);
          return failed == nullptr || failed->kind != run::host_closed;
        })));
  return made;
}

}  // namespace

Figures figures(const job::Job& job, const run::Record& record) {
  assert(job.tasks.size() == record.tasks.size());
  std::vector<Duration> lengths;
  lengths.reserve(record.tasks.size());
  for (const run::TaskRecord& task : record.tasks) lengths.push_back(task.length());

  Figures result;
  result.wall = record.wall;
  result.sum = saturating_sum(lengths);
  result.critical = critical_path(job, record);
  result.bound = lower_bound(job, lengths, result.critical.length, requests(record), record.limits);
  result.slowest = slowest(lengths);
  if (record.wall.count() > 0) {
    result.naive_concurrency = to_seconds(result.sum) / to_seconds(record.wall);
    result.efficiency = to_seconds(result.bound.length) / to_seconds(record.wall);
  }
  result.median_task = median(std::move(lengths));
  return result;
}

}  // namespace gather::analyse
