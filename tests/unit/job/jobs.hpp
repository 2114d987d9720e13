/// Job files written inside a test.
#pragma once

#include "core/job/load.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

inline Source yaml(std::string_view text) { return {.name = "job.yaml", .text = std::string(text)}; }

inline Source json(std::string_view text) {
  return {.name = "job.json", .text = std::string(text), .format = Format::json};
}

/// The job in a file without mistakes.
inline Job job_of(const Source& source) { return load_or_throw(source).job; }

/// One line for each problem, without the part that shows it.
inline std::string problems_of(const Source& source) {
  std::string lines;
  for (const Problem& problem : load(source).problems)
    lines += fmt::format("{}:{} {}\n", problem.position.line, problem.position.column, problem.message);
  return lines;
}

/// As problems_of, with the width of the caret.
inline std::string places_of(const Source& source) {
  std::string places;
  for (const Problem& problem : load(source).problems)
    places += fmt::format("{}:{}+{} ", problem.position.line, problem.position.column, problem.length);
  return places;
}

/// Ids, separated by blanks.
inline std::string ids_of(const Job& job, const std::vector<TaskId>& tasks) {
  std::string ids;
  for (const TaskId task : tasks) ids += (ids.empty() ? "" : " ") + job[task].id;
  return ids;
}

}  // namespace gather::job
