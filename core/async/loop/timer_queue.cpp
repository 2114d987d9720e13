#include "core/async/loop/timer_queue.hpp"

#include <algorithm>
#include <cassert>
#include <new>
#include <type_traits>
#include <utility>

namespace gather::async {

// Four children instead of two: half the depth for the price of two more comparisons a level, all in one or
// two cache lines. Source: D. B. Johnson, "Priority queues with update and finding minimum spanning trees",
// 1975.
constexpr std::size_t fan_out = 4;

Timer::~Timer() { assert(!armed()); }

void TimerQueue::Entries::make_room(std::size_t count) {
  static_assert(std::is_trivially_copyable_v<Entry>);
  if (room() >= count) return;
  const std::size_t larger = std::max({std::size_t{16}, 2 * capacity_, size_ + count});
  void* const moved = std::realloc(entries_.get(), larger * sizeof(Entry));
  if (moved == nullptr) throw std::bad_alloc();
  static_cast<void>(entries_.release());
  entries_.reset(static_cast<Entry*>(moved));
  capacity_ = larger;
}

void TimerQueue::insert(Timer& timer, TimePoint when) {
  assert(!timer.armed());
  heap_.make_room(most_demoted);
  if (row_.room() == 0 && front_ + removed_ >= row_.size() / 2) close_ranks();
  row_.make_room(1);
  if (next_sequence_ == std::numeric_limits<std::uint32_t>::max()) renumber();
  timer.sequence_ = next_sequence_++;
  if (clear_end_of_row(when))
    place_in_row(row_.add(), {when, &timer});
  else
    add_to_heap({when, &timer});
}

// Every 2^32 insertions. All become a row, in the heap's array: a sorted array is a heap.
void TimerQueue::renumber() {
  heap_.make_room(row_.size() + most_demoted);
  for (std::size_t i = front_; i < row_.size(); ++i)
    if (row_[i].timer != nullptr) heap_[heap_.add()] = row_[i];
  row_.cut(0);
  front_ = removed_ = 0;
  if (heap_.size() != 0)
    std::sort(&heap_[0], &heap_[0] + heap_.size(),
              [](const Entry& a, const Entry& b) { return a.before(b); });
  for (std::size_t i = 0; i < heap_.size(); ++i) {
    place(i, heap_[i]);
    heap_[i].timer->sequence_ = static_cast<std::uint32_t>(i);
  }
  next_sequence_ = static_cast<std::uint32_t>(heap_.size());
}

void TimerQueue::remove(Timer& timer) noexcept {
  if (!timer.armed()) return;
  const std::uint32_t place = std::exchange(timer.place_, Timer::nowhere);
  if ((place & in_row) != 0)
    remove_from_row(place & ~in_row);
  else
    remove_from_heap(place);
}

Timer* TimerQueue::pop_due(TimePoint now) noexcept {
  const bool of_row = row_comes_first();
  if (!of_row && heap_.size() == 0) return nullptr;
  const Entry& entry = of_row ? row_[front_] : heap_[0];
  if (entry.when > now) return nullptr;
  Timer* const timer = entry.timer;
  timer->place_ = Timer::nowhere;
  if (of_row)
    remove_from_row(front_);
  else
    remove_from_heap(0);
  return timer;
}

// Whether one that is due at `when` can be the last of the row. It was inserted after all others, so those of
// the same time are before it.
bool TimerQueue::clear_end_of_row(TimePoint when) noexcept {
  std::size_t end = row_.size();
  while (end > front_ && when < row_[end - 1].when)
    if (row_.size() - --end > most_demoted) return false;
  for (std::size_t i = end; i < row_.size(); ++i)
    if (row_[i].timer != nullptr)
      add_to_heap(row_[i]);
    else
      --removed_;
  row_.cut(end);
  return true;
}

void TimerQueue::remove_from_row(std::size_t at) noexcept {
  row_[at].timer = nullptr;
  ++removed_;
  for (; !row_is_empty() && row_[front_].timer == nullptr; ++front_) --removed_;
  for (; !row_is_empty() && row_[row_.size() - 1].timer == nullptr; row_.cut(row_.size() - 1)) --removed_;
  if (row_is_empty()) {
    row_.cut(0);
    front_ = 0;
  }
  if (removed_ > (row_.size() - front_) / 2) close_ranks();
}

// Moves the row to the beginning of its array, without what was removed.
void TimerQueue::close_ranks() noexcept {
  std::size_t end = 0;
  for (std::size_t i = front_; i < row_.size(); ++i)
    if (row_[i].timer != nullptr) place_in_row(end++, row_[i]);
  row_.cut(end);
  front_ = removed_ = 0;
}

void TimerQueue::add_to_heap(const Entry& entry) noexcept { sift_up(heap_.add(), entry); }

void TimerQueue::remove_from_heap(std::size_t at) noexcept {
  const Entry last = heap_[heap_.size() - 1];
  heap_.cut(heap_.size() - 1);
  if (at == heap_.size()) return;
  if (at > 0 && last.before(heap_[(at - 1) / fan_out]))
    sift_up(at, last);
  else
    sift_down(at, last);
}

void TimerQueue::place_in_row(std::size_t at, const Entry& entry) noexcept {
  row_[at] = entry;
  entry.timer->place_ = in_row | static_cast<std::uint32_t>(at);
}

void TimerQueue::place(std::size_t at, const Entry& entry) noexcept {
  heap_[at] = entry;
  entry.timer->place_ = static_cast<std::uint32_t>(at);
}

void TimerQueue::sift_up(std::size_t at, const Entry& entry) noexcept {
  while (at > 0) {
    const std::size_t parent = (at - 1) / fan_out;
    if (!entry.before(heap_[parent])) break;
    place(at, heap_[parent]);
    at = parent;
  }
  place(at, entry);
}

void TimerQueue::sift_down(std::size_t at, const Entry& entry) noexcept {
  for (;;) {
    const std::size_t first = at * fan_out + 1;
    if (first >= heap_.size()) break;
    const Entry* const children = &heap_[first];
    std::size_t least = first;
    if (first + fan_out <= heap_.size()) {  // Two and two, which the processor compares side by side.
      const std::size_t left = children[1].before(children[0]) ? 1 : 0;
      const std::size_t right = children[3].before(children[2]) ? 3 : 2;
      least += children[right].before(children[left]) ? right : left;
    } else {
      for (std::size_t child = first + 1; child < heap_.size(); ++child)
        if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(entry)) break;
    place(at, heap_[least]);
    at = least;
  }
  place(at, entry);
}

}  // namespace gather::async
