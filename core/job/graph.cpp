#include "core/job/graph.hpp"

#include "core/base/error.hpp"
#include "core/job/check/schema.hpp"
#include "core/job/document/problem.hpp"
#include "core/job/document/text_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <queue>
#include <ranges>

namespace gather::job {
namespace {

Duration saturating_sum(Duration a, Duration b) { return a > Duration::max() - b ? Duration::max() : a + b; }

/// The one with the largest rank, the first of several; `candidates` is not empty.
TaskId first_largest(std::span<const TaskId> candidates, std::span<const Duration> ranks) {
  return *std::ranges::max_element(candidates, {}, [&](TaskId task) { return ranks[index(task)]; });
}

}  // namespace

Dependants::Dependants(const Job& job) : begins_(job.tasks.size() + 1) {
  for (const Task& task : job.tasks)
    for (const TaskId need : task.needs) ++begins_[index(need) + 1];
  for (std::size_t i = 1; i < begins_.size(); ++i) begins_[i] += begins_[i - 1];
  dependants_.resize(begins_.back());
  std::vector<std::size_t> next(begins_.begin(), begins_.end() - 1);
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    for (const TaskId need : job.tasks[i].needs) dependants_[next[index(need)]++] = TaskId(i);
}

std::vector<TaskId> topological_order(const Job& job) {
  const Dependants dependants(job);
  std::vector<std::size_t> missing(job.tasks.size());
  std::priority_queue<TaskId, std::vector<TaskId>, std::greater<>> ready;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    missing[i] = job.tasks[i].needs.size();
    if (missing[i] == 0) ready.push(TaskId(i));
  }
  std::vector<TaskId> order;
  order.reserve(job.tasks.size());
  while (!ready.empty()) {
    const TaskId task = ready.top();
    ready.pop();
    order.push_back(task);
    for (const TaskId dependant : dependants.of(task))
      if (--missing[index(dependant)] == 0) ready.push(dependant);
  }
  assert(order.size() == job.tasks.size());
  return order;
}

std::vector<Duration> upward_ranks(const Job& job, std::span<const Duration> expected) {
  assert(expected.size() == job.tasks.size());
  std::vector<Duration> ranks(job.tasks.size());
  for (const TaskId task : topological_order(job) | std::views::reverse) {
    Duration& rank = ranks[index(task)];  // Until now the largest of its dependants.
    rank = saturating_sum(expected[index(task)], rank);
    for (const TaskId need : job[task].needs) ranks[index(need)] = std::max(ranks[index(need)], rank);
  }
  return ranks;
}

std::vector<TaskId> critical_path(const Job& job, std::span<const Duration> lengths) {
  const std::vector<Duration> ranks = upward_ranks(job, lengths);
  const Dependants dependants(job);
  std::vector<TaskId> candidates;
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    if (job.tasks[i].needs.empty()) candidates.push_back(TaskId(i));
  std::vector<TaskId> path;
  for (std::span<const TaskId> next = candidates; !next.empty(); next = dependants.of(path.back()))
    path.push_back(first_largest(next, ranks));
  return path;
}

Job select(Job job, std::span<const std::string> ids) {
  TextIndex places(job.tasks.size());
  for (std::uint32_t i = 0; i < job.tasks.size(); ++i) places.add(job.tasks[i].id, i);

  std::vector<bool> kept(job.tasks.size());
  std::vector<TaskId> pending;
  for (const std::string& id : ids) {
    const auto place = places.find(id);
    if (!place) {
      std::vector<std::string_view> known;
      for (const Task& task : job.tasks) known.push_back(task.id);
      std::string hint = did_you_mean(id, known);
      if (hint.empty()) hint = "`gather plan` lists the tasks";
      throw Error(ExitStatus::usage, fmt::format("{} has no task {}; {}", job.name, code(id), hint));
    }
    pending.push_back(TaskId{*place});
  }
  while (!pending.empty()) {
    const std::size_t task = index(pending.back());
    pending.pop_back();
    if (kept[task]) continue;
    kept[task] = true;
    pending.insert(pending.end(), job.tasks[task].needs.begin(), job.tasks[task].needs.end());
  }

  std::vector<TaskId> renumbered(job.tasks.size());
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    if (!kept[i]) continue;
    renumbered[i] = TaskId(tasks.size());
    tasks.push_back(std::move(job.tasks[i]));
  }
  for (Task& task : tasks) {
    for (TaskId& need : task.needs) need = renumbered[index(need)];
    if (const auto* const of = task.input ? std::get_if<StandardInput::Of>(&task.input->from) : nullptr)
      task.input = std::make_shared<const StandardInput>(StandardInput::Of{renumbered[index(of->task)]});
  }
  job.tasks = std::move(tasks);
  return job;
}

}  // namespace gather::job
