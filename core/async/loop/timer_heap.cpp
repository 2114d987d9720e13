#include "core/async/loop/timer_heap.hpp"

#include <algorithm>
#include <cassert>

namespace gather::async {

// Four children instead of two: half the depth for the price of two more comparisons a level, all in one or
// two cache lines. Source: D. B. Johnson, "Priority queues with update and finding minimum spanning trees",
// 1975.
constexpr std::size_t fan_out = 4;

Timer::~Timer() { assert(!armed()); }

void TimerHeap::insert(Timer& timer, TimePoint when) {
  assert(!timer.armed());
  entries_.push_back({});
  sift_up(entries_.size() - 1, {when, next_sequence_++, &timer});
}

void TimerHeap::remove(Timer& timer) noexcept {
  if (!timer.armed()) return;
  const std::size_t at = timer.place_;
  timer.place_ = Timer::nowhere;
  const Entry last = entries_.back();
  entries_.pop_back();
  if (at == entries_.size()) return;
  if (at > 0 && last.before(entries_[(at - 1) / fan_out]))
    sift_up(at, last);
  else
    sift_down(at, last);
}

Timer* TimerHeap::pop_due(TimePoint now) noexcept {
  if (entries_.empty() || entries_.front().when > now) return nullptr;
  Timer* const timer = entries_.front().timer;
  remove(*timer);
  return timer;
}

void TimerHeap::place(std::size_t at, const Entry& entry) noexcept {
  entries_[at] = entry;
  entry.timer->place_ = at;
}

void TimerHeap::sift_up(std::size_t at, const Entry& entry) noexcept {
  while (at > 0) {
    const std::size_t parent = (at - 1) / fan_out;
    if (!entry.before(entries_[parent])) break;
    place(at, entries_[parent]);
    at = parent;
  }
  place(at, entry);
}

void TimerHeap::sift_down(std::size_t at, const Entry& entry) noexcept {
  for (;;) {
    const std::size_t first = at * fan_out + 1;
    if (first >= entries_.size()) break;
    const std::size_t end = std::min(first + fan_out, entries_.size());
    std::size_t least = first;
    for (std::size_t child = first + 1; child < end; ++child)
      if (entries_[child].before(entries_[least])) least = child;
    if (!entries_[least].before(entry)) break;
    place(at, entries_[least]);
    at = least;
  }
  place(at, entry);
}

}  // namespace gather::async
