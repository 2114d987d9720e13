#include "core/base/quote.hpp"
#include "core/report/summary.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace gather::report {
namespace {

std::string counts(const run::Record& record) {
  std::array<std::size_t, run::state_count> of{};
  for (const run::TaskRecord& task : record.tasks) ++of[static_cast<std::size_t>(task.state)];
  std::string text;
  for (std::size_t i = 0; i < of.size(); ++i) {
    if (of[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", of[i], word(static_cast<run::State>(i)));
  }
  return text;
}

std::string slowest_text(const job::Job& job, const run::Record& record, const analyse::Figures& figures) {
  std::string text;
  for (const job::TaskId id : figures.slowest)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", inert(job[id].id), show(record[id].length()));
  return text;
}

/// Rounded down: 100.0 % is said only of 1.
std::string percent(double part) { return fmt::format("{:.1f} %", std::floor(part * 1000) / 10); }

void row(std::string& text, std::string_view label, const std::string& value, const std::string& remark) {
  text += fmt::format("{:<17}  {:>7}", label, value);
  if (!remark.empty()) text += "   " + remark;
  text += "\n";
}

}  // namespace

bool lag_is_large(const run::LoopLag& lag, const analyse::Figures& figures) {
  return lag.p99 > std::chrono::milliseconds(5) ||
         (figures.median_task && lag.p99 * 100 > *figures.median_task);
}

std::string figures_text(const job::Job& job, const run::Record& record, const analyse::Figures& figures) {
  std::string text;
  row(text, "tasks", fmt::format("{}", record.tasks.size()), counts(record));
  row(text, "wall", show(figures.wall), "");
  row(text, "sum of task times", show(figures.sum),
      figures.naive_concurrency ? fmt::format("naive concurrency {:.2f}", *figures.naive_concurrency) : "");
  if (!figures.critical.tasks.empty())
    row(text, "critical path", show(figures.critical.length), chain_of(job, figures.critical.tasks));
  if (figures.bound.length.count() > 0)
    row(text, "lower bound", show(figures.bound.length),
        figures.efficiency
            ? fmt::format("from {}; efficiency {}", figures.bound.by, percent(*figures.efficiency))
            : "from " + figures.bound.by);
  if (figures.slowest.size() > 1) row(text, "slowest", "", slowest_text(job, record, figures));
  if (lag_is_large(record.lag, figures))
    row(text, "loop lag", show(record.lag.p99),
        fmt::format("p99, at most {}: times can be too long by as much", show(record.lag.most)));
  return text;
}

}  // namespace gather::report
