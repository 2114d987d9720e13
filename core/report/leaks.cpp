#include "core/report/leaks.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace gather::report {

std::string leaks(const job::Job& job, const run::Record& record) {
  constexpr std::size_t most_named = 8;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < record.tasks.size(); ++i)
    if (std::ranges::any_of(record.tasks[i].attempts, &run::AttemptRecord::leaked))
      names.push_back(job.tasks[i].id);
  std::string text;
  const std::size_t named = std::min(names.size(), most_named);
  const std::size_t others = names.size() - named;
  for (std::size_t i = 0; i < named; ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  if (others > 0) text += fmt::format(" and {} more", others);
  if (!names.empty()) text += " left processes behind, which were ended\n";
  for (const run::LeftProcess& left : record.left_running)
    text += fmt::format("{} has left {} running: {}\n", left.task.empty() ? "a task" : left.task, left.pid,
                        inert(left.command));
  return text;
}

}  // namespace gather::report
