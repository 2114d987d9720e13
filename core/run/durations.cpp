#include "core/run/durations.hpp"

#include "core/run/kind.hpp"

#include <algorithm>
#include <array>

namespace gather::run {

std::optional<Duration> StatedDurations::known(const job::Task& task) const {
  if (const auto* sleep = std::get_if<job::Sleep>(&task.action)) return sleep->length;
  return task.estimate;
}

std::vector<Duration> expected_durations(const job::Job& job, const Durations& durations) {
  std::vector<std::optional<Duration>> known(job.tasks.size());
  std::array<std::vector<Duration>, kind_count> by_kind;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    const Kind kind = kind_of(job.tasks[i].action);
    known[i] = kind == Kind::none ? Duration(0) : durations.known(job.tasks[i]);
    if (known[i] && kind != Kind::none) by_kind[static_cast<std::size_t>(kind)].push_back(*known[i]);
  }
  std::array<Duration, kind_count> medians;
  medians.fill(std::chrono::seconds(1));
  for (std::size_t kind = 0; kind < kind_count; ++kind) {
    auto& lengths = by_kind[kind];
    if (lengths.empty()) continue;
    const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
    std::ranges::nth_element(lengths, middle);
    medians[kind] = *middle;
  }
  std::vector<Duration> expected(job.tasks.size());
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    expected[i] = known[i] ? *known[i] : medians[static_cast<std::size_t>(kind_of(job.tasks[i].action))];
  return expected;
}

}  // namespace gather::run
