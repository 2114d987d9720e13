#include "core/report/status.hpp"

#include "core/base/quote.hpp"
#include "core/report/tail.hpp"
#include "core/report/words.hpp"

#include <fmt/format.h>

namespace gather::report {

std::string status(const job::Job& job, const Running& running, Duration now, const LastOutput& last_output) {
  constexpr std::size_t most_told = 40;
  constexpr std::size_t lines_told = 5;  // Of each stream.
  const std::vector<Running::Current> tasks = running.tasks(now);
  std::string text = fmt::format("[{}/{}] {} running\n", running.ended(), job.tasks.size(), tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i == most_told) {
      text += fmt::format("  and {} more\n", tasks.size() - most_told);
      break;
    }
    const auto [id, since] = tasks[i];
    text += fmt::format("  {:>9}  {}: {}\n", show(since), inert(job[id].id), in_words(job[id].action));
    for (const run::Stream stream : {run::Stream::out, run::Stream::err}) {
      Tail tail;
      last_output(id, stream, [&](std::string_view piece) { tail.add(piece); });
      for (const std::string& line : tail.lines(lines_told)) text += fmt::format("    | {}\n", line);
    }
  }
  return text;
}

}  // namespace gather::report
