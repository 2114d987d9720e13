#include "core/analyse/waits.hpp"

#include <algorithm>
#include <numeric>

namespace gather::analyse {

Waits waits(const run::Record& record, const run::TaskRecord& task) {
  Waits result;
  const auto lacked = [&](run::Lack what) { return task.lacked[static_cast<std::size_t>(what)]; };
  const std::optional<Duration> released =
      task.released_by ? record[*task.released_by].ended_at : Duration(0);
  if (task.ready_at) {
    result.dependency = released;
    if (released) result.delay = *task.ready_at - *released;
    result.slot = lacked(run::Lack::slot);
    result.host = lacked(run::Lack::host);
    result.rate = lacked(run::Lack::rate);
    result.pool = lacked(run::Lack::pool);
  }
  // What was lacked after the first start was lacked between attempts.
  Duration between{};
  for (std::size_t i = 1; i < task.attempts.size(); ++i) {
    const run::AttemptRecord& before = task.attempts[i - 1];
    between += task.attempts[i].start - (before.start + before.length);
  }
  if (task.attempts.size() > 1 && task.ready_at) {
    const Duration in_all = std::accumulate(task.lacked.begin(), task.lacked.end(), Duration(0));
    const Duration at_first = *task.started_at() - *task.ready_at;
    result.retry = between - std::clamp(in_all - at_first, Duration(0), between);
  }
  return result;
}

}  // namespace gather::analyse
