#include "core/base/quote.hpp"
#include "core/report/columns.hpp"
#include "core/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace gather::report {
namespace {

constexpr std::size_t most_rows = 40;
constexpr std::size_t rows_of_many = 20;
constexpr std::size_t least_bar = 10;
constexpr std::size_t most_bar = 50;
constexpr std::size_t widest_id = 32;
constexpr std::size_t time_columns = 7;   // "59.99 s", "1h02m"
constexpr std::size_t state_columns = 9;  // "timed out", "cancelled"

bool by_start(const run::Record& record, job::TaskId a, job::TaskId b) {
  const auto key = [&](job::TaskId id) {
    const auto& task = record[id];
    const auto start = task.started_at();
    const auto at = start ? start : task.ended_at;
    return std::tuple(at.value_or(Duration::max()), id);
  };
  return key(a) < key(b);
}

std::vector<job::TaskId> chosen_rows(const run::Record& record) {
  std::vector<job::TaskId> rows;
  for (std::size_t i = 0; i < record.tasks.size(); ++i) rows.push_back(job::TaskId(i));
  if (rows.size() > most_rows) {
    const auto slower = [&](job::TaskId a, job::TaskId b) {
      const Duration of_a = record[a].length();
      const Duration of_b = record[b].length();
      return of_a != of_b ? of_a > of_b : a < b;
    };
    std::ranges::partial_sort(rows, rows.begin() + rows_of_many, slower);
    rows.resize(rows_of_many);
  }
  std::ranges::sort(rows, [&](job::TaskId a, job::TaskId b) { return by_start(record, a, b); });
  return rows;
}

/// One cell per column of the axis: full where an attempt ran, light between attempts, thin for what is too
/// short to fill half a cell.
std::string bar(const run::TaskRecord& task, Duration wall, std::size_t columns) {
  if (wall.count() <= 0) return "";
  std::vector<std::string_view> cells(columns, " ");
  const double scale = static_cast<double>(columns) / to_seconds(wall);
  const auto cell = [&](double at) {
    return std::min(static_cast<std::size_t>(std::max(at, 0.0)), columns - 1);
  };
  std::optional<std::size_t> before;
  for (const run::AttemptRecord& attempt : task.attempts) {
    const double begin = to_seconds(attempt.start) * scale;
    const double end = to_seconds(attempt.start + attempt.length) * scale;
    const std::size_t first = cell(begin);
    const std::size_t last = std::max(first, cell(std::ceil(end) - 1));
    if (before)
      for (std::size_t i = *before + 1; i < first; ++i) cells[i] = "░";
    for (std::size_t i = first; i <= last; ++i)
      if (cells[i] != "█") cells[i] = end - begin < 0.5 ? "▏" : "█";
    before = last;
  }
  std::string text;
  for (const std::string_view each : cells) text += each;
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::string table(const job::Job& job, const run::Record& record, std::size_t columns, Colour colour) {
  const std::vector<job::TaskId> rows = chosen_rows(record);
  std::size_t id_columns = 4;
  for (const job::TaskId id : rows) id_columns = std::max(id_columns, width(inert(job[id].id)));
  id_columns = std::min(id_columns, widest_id);
  const std::size_t fixed = id_columns + state_columns + 2 * time_columns + 4 * 2;
  const std::size_t bar_columns =
      std::clamp(columns > fixed + 1 ? columns - fixed - 1 : 0, least_bar, most_bar);

  std::string text =
      fmt::format("{}  {}  {}  {}  0{}\n", padded("task", id_columns), padded("state", state_columns),
                  right_aligned("start", time_columns), right_aligned("took", time_columns),
                  right_aligned(show(record.wall), bar_columns - 1));
  for (const job::TaskId id : rows) {
    const run::TaskRecord& task = record[id];
    const auto started = task.started_at();
    std::string line = fmt::format(
        "{}  {}  {}  {}  {}", padded(cut(inert(job[id].id), id_columns), id_columns),
        painted(padded(word(task.state), state_columns), task.state, colour),
        right_aligned(started ? show(*started) : "", time_columns),
        right_aligned(started ? show(task.length()) : "", time_columns), bar(task, record.wall, bar_columns));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  if (rows.size() < record.tasks.size())
    text += fmt::format("the {} slowest; {} not shown\n", rows.size(),
                        count_of(record.tasks.size() - rows.size(), "more task"));
  return text;
}

}  // namespace gather::report
