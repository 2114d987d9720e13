#include "core/run/median_limits.hpp"

#include <algorithm>

namespace gather::run {

void RunningMedian::add(Duration length) {
  if (lower_.empty() || length <= lower_.top())
    lower_.push(length);
  else
    upper_.push(length);
  if (lower_.size() > upper_.size() + 1) {
    upper_.push(lower_.top());
    lower_.pop();
  } else if (upper_.size() > lower_.size()) {
    lower_.push(upper_.top());
    upper_.pop();
  }
}

MedianLimits::Group& MedianLimits::group_of(const Attempt& attempt) {
  for (Group& group : groups_)
    if (group.kind == attempt.kind && group.percent == attempt.percent) return group;
  groups_.push_back({attempt.kind, attempt.percent});
  return groups_.back();
}

void MedianLimits::started(const Attempt& attempt) {
  group_of(attempt).running.emplace(attempt.start, attempt.id);
}

void MedianLimits::ended(const Attempt& attempt) {
  group_of(attempt).running.erase({attempt.start, attempt.id});
}

void MedianLimits::passed(Kind kind, Duration length) {
  medians_[static_cast<std::size_t>(kind)].add(length);
}

std::optional<Duration> MedianLimits::limit_of(const Group& group) const {
  const RunningMedian& median = medians_[static_cast<std::size_t>(group.kind)];
  if (median.count() < least_passed || median.value() == Duration(0)) return std::nullopt;
  return Duration(
      static_cast<Duration::rep>(static_cast<double>(median.value().count()) / 100 * group.percent));
}

std::optional<Duration> MedianLimits::next() const {
  std::optional<Duration> next;
  for (const Group& group : groups_) {
    const auto limit = limit_of(group);
    if (!limit || group.running.empty()) continue;
    const Duration at = group.running.begin()->first + *limit;
    next = std::min(next.value_or(at), at);
  }
  return next;
}

std::optional<MedianLimits::Expired> MedianLimits::take_expired(Duration now) {
  for (Group& group : groups_) {
    const auto limit = limit_of(group);
    if (!limit || group.running.empty() || group.running.begin()->first + *limit > now) continue;
    const job::TaskId id = group.running.begin()->second;
    group.running.erase(group.running.begin());
    return Expired{id, *limit};
  }
  return std::nullopt;
}

}  // namespace gather::run
