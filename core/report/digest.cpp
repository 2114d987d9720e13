#include "core/base/quote.hpp"
#include "core/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace gather::report {
namespace {

constexpr std::size_t most_named = 40;

bool failed(run::State state) { return state == run::State::failed || state == run::State::timed_out; }

/// Cancelled before it ever began: counted, not named one by one.
bool never_began(const run::TaskRecord& task) {
  return task.state == run::State::cancelled && task.attempts.empty();
}

struct Counts {
  std::size_t failed = 0;
  std::size_t cancelled = 0;  ///< While they ran.
  std::size_t not_begun = 0;
  std::size_t skipped = 0;
};

Counts count(const run::Record& record) {
  Counts counts;
  for (const run::TaskRecord& task : record.tasks) {
    if (failed(task.state)) ++counts.failed;
    if (never_began(task))
      ++counts.not_begun;
    else if (task.state == run::State::cancelled)
      ++counts.cancelled;
    if (task.state == run::State::skipped) ++counts.skipped;
  }
  return counts;
}

/// How many tasks were skipped because of each one that did not pass; the cause of a skipped one may be
/// skipped itself.
std::unordered_map<job::TaskId, std::size_t> skipped_because(const run::Record& record) {
  std::unordered_map<job::TaskId, std::size_t> skipped;
  for (const run::TaskRecord& task : record.tasks) {
    if (task.state != run::State::skipped || !task.cause) continue;
    job::TaskId root = *task.cause;
    while (record[root].state == run::State::skipped && record[root].cause) root = *record[root].cause;
    ++skipped[root];
  }
  return skipped;
}

std::string heading(const run::Record& record, const Counts& counts) {
  std::vector<std::string> parts;
  const std::size_t total = record.tasks.size();
  if (counts.failed > 0)
    parts.push_back(fmt::format("{} of {} failed", counts.failed, count_of(total, "task")));
  if (counts.cancelled > 0) parts.push_back(fmt::format("{} cancelled", counts.cancelled));
  if (counts.not_begun > 0) parts.push_back(fmt::format("{} never started", counts.not_begun));
  if (counts.skipped > 0) parts.push_back(fmt::format("{} skipped", counts.skipped));
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

}  // namespace

std::string digest(const job::Job& job, const run::Record& record, std::span<const Failure> failures,
                   Colour colour) {
  const Counts counts = count(record);
  if (counts.failed + counts.cancelled + counts.not_begun + counts.skipped == 0) return "";
  const auto skipped = skipped_because(record);
  std::string text;
  if (record.stopped) text += fmt::format("stopped: {}\n", inert(*record.stopped));
  text += heading(record, counts) + "\n";
  std::size_t named = 0;
  std::size_t unnamed = 0;
  const auto name_tasks = [&](const auto& wanted) {
    for (std::size_t i = 0; i < record.tasks.size(); ++i) {
      const job::TaskId id{static_cast<std::uint32_t>(i)};
      const run::TaskRecord& task = record.tasks[i];
      if (!wanted(task)) continue;
      if (named == most_named) {
        ++unnamed;
        continue;
      }
      ++named;
      text += fmt::format("  {}  {}", painted(fmt::format("{:<9}", word(task.state)), task.state, colour),
                          inert(job[id].id));
      if (!task.reason.empty()) text += ": " + inert(task.reason);
      if (const auto because = skipped.find(id); because != skipped.end())
        text += fmt::format(" ({} skipped because of it)", count_of(because->second, "task"));
      text += "\n";
      const auto shown = std::ranges::find(failures, id, &Failure::id);
      if (shown == failures.end()) continue;
      for (const std::string& line : shown->lines) text += fmt::format("    | {}\n", line);
      if (!shown->hint.empty()) text += fmt::format("    hint: {}\n", shown->hint);
    }
  };
  name_tasks([](const run::TaskRecord& task) { return failed(task.state); });
  name_tasks(
      [](const run::TaskRecord& task) { return task.state == run::State::cancelled && !never_began(task); });
  if (unnamed > 0) text += fmt::format("  and {} more\n", unnamed);
  return text;
}

}  // namespace gather::report
