#include "core/async/loop/timer_heap.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <type_traits>

namespace gather::async {

// Four children instead of two: half the depth for the price of two more comparisons a level, all in one or
// two cache lines. Source: D. B. Johnson, "Priority queues with update and finding minimum spanning trees",
// 1975.
constexpr std::size_t fan_out = 4;

Timer::~Timer() { assert(!armed()); }

void TimerHeap::insert(Timer& timer, TimePoint when) {
  assert(!timer.armed());
  if (size_ == capacity_) grow();
  if (next_sequence_ == std::numeric_limits<std::uint32_t>::max()) renumber();
  timer.sequence_ = next_sequence_++;
  sift_up(size_++, {when, &timer});
}

// Every 2^32 insertions. A sorted array is a heap.
void TimerHeap::renumber() noexcept {
  std::sort(entries_.get(), entries_.get() + size_,
            [](const Entry& a, const Entry& b) { return a.before(b); });
  for (std::size_t i = 0; i < size_; ++i) place(i, entries_[i]);
  for (next_sequence_ = 0; next_sequence_ < size_; ++next_sequence_)
    entries_[next_sequence_].timer->sequence_ = next_sequence_;
}

// realloc moves the pages of a large array instead of copying it; a vector has both copies in memory for a
// moment.
void TimerHeap::grow() {
  static_assert(std::is_trivially_copyable_v<Entry>);
  const std::size_t larger = capacity_ == 0 ? 16 : 2 * capacity_;
  void* const moved = std::realloc(entries_.get(), larger * sizeof(Entry));
  if (moved == nullptr) throw std::bad_alloc();
  static_cast<void>(entries_.release());
  entries_.reset(static_cast<Entry*>(moved));
  capacity_ = larger;
}

void TimerHeap::remove(Timer& timer) noexcept {
  if (!timer.armed()) return;
  const std::size_t at = timer.place_;
  timer.place_ = Timer::nowhere;
  const Entry last = entries_[--size_];
  if (at == size_) return;
  if (at > 0 && last.before(entries_[(at - 1) / fan_out]))
    sift_up(at, last);
  else
    sift_down(at, last);
}

Timer* TimerHeap::pop_due(TimePoint now) noexcept {
  if (size_ == 0 || entries_[0].when > now) return nullptr;
  Timer* const timer = entries_[0].timer;
  remove(*timer);
  return timer;
}

void TimerHeap::place(std::size_t at, const Entry& entry) noexcept {
  entries_[at] = entry;
  entry.timer->place_ = static_cast<std::uint32_t>(at);
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
    if (first >= size_) break;
    const Entry* const children = &entries_[first];
    std::size_t least = first;
    if (first + fan_out <= size_) {  // Two and two, which the processor compares side by side.
      const std::size_t left = children[1].before(children[0]) ? 1 : 0;
      const std::size_t right = children[3].before(children[2]) ? 3 : 2;
      least += children[right].before(children[left]) ? right : left;
    } else {
      for (std::size_t child = first + 1; child < size_; ++child)
        if (entries_[child].before(entries_[least])) least = child;
    }
    if (!entries_[least].before(entry)) break;
    place(at, entries_[least]);
    at = least;
  }
  place(at, entry);
}

}  // namespace gather::async
