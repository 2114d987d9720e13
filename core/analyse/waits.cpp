#include "core/analyse/waits.hpp"

namespace gather::analyse {

Waits waits(const run::Record& record, const run::TaskRecord& task) {
  Waits result;
  const std::optional<Duration> released =
      task.released_by ? record[*task.released_by].ended_at : Duration(0);
  if (task.ready_at) {
    result.dependency = released;
    if (released) result.delay = *task.ready_at - *released;
    if (const auto started = task.started_at()) result.slot = *started - *task.ready_at;
  }
  for (std::size_t i = 1; i < task.attempts.size(); ++i) {
    const run::AttemptRecord& before = task.attempts[i - 1];
    result.retry += task.attempts[i].start - (before.start + before.length);
  }
  return result;
}

}  // namespace gather::analyse
