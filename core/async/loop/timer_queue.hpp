/// Deadlines in order, earliest first, equal ones first come first served: a row of those that came in that
/// order, and a heap of the others. The nodes live elsewhere.
#pragma once

#include "core/base/duration.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>

namespace gather::async {

/// The loop's clock: monotonic, in nanoseconds since an arbitrary moment, or virtual and since 0.
struct LoopClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<LoopClock, duration>;
  static constexpr bool is_steady = true;
};

using TimePoint = LoopClock::time_point;

/// Something that waits for a deadline, in one place at a time. The queue does not own it; whoever does must
/// take it out before it dies.
class Timer {
 public:
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return place_ != nowhere; }

  /// Called once, after it was taken out of the queue, never before its deadline. Must only enqueue.
  virtual void on_time() noexcept = 0;

 protected:
  Timer() = default;
  ~Timer();

 private:
  friend class TimerQueue;
  // Half a word each: every sleeping task has one of these.
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t place_ = nowhere;  // In the heap; in the row with `in_row` added.
  std::uint32_t sequence_ = 0;
};

/// A timer whose deadline is not before that of the last one in the row goes to the row's end, any other one
/// into the heap. Timeouts of the same length, and sleeps of the same length, all come in the order in which
/// they are due, so that they cost O(1) to insert, remove and pop; in the heap that is O(log n). A few late
/// ones at the row's end, such as the time limit of a whole run, make way into the heap.
///
/// Only growing the arrays allocates; of removed timers no more than the row's length is left behind. It
/// holds fewer than 2^31 timers.
class TimerQueue {
 public:
  /// Insertions are counted from `next_sequence`; tests begin shortly before the count runs out.
  explicit TimerQueue(std::uint32_t next_sequence = 0) noexcept : next_sequence_(next_sequence) {}

  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept { return heap_.size() + row_.size() - front_ - removed_; }

  /// Requires: not empty.
  TimePoint earliest() const noexcept { return first().when; }

  /// Requires: `timer` is not armed. Strong guarantee.
  void insert(Timer& timer, TimePoint when);

  /// No-op when it is not armed.
  void remove(Timer& timer) noexcept;

  /// Takes out the earliest timer if its deadline is `now` or before, else returns null.
  Timer* pop_due(TimePoint now) noexcept;

 private:
  struct Entry {
    TimePoint when;
    Timer* timer;  // Null: removed from the row.

    // Ties are broken by order of insertion, which the timer knows: they are rare, and a larger entry would
    // cost each level of the heap a cache line more.
    bool before(const Entry& other) const noexcept {
      if (when != other.when) [[likely]]
        return when < other.when;
      return timer->sequence_ < other.timer->sequence_;
    }
  };

  /// A vector that grows by realloc, which moves the pages of a large one instead of copying it.
  class Entries {
   public:
    std::size_t size() const noexcept { return size_; }
    std::size_t room() const noexcept { return capacity_ - size_; }
    Entry& operator[](std::size_t at) noexcept { return entries_[at]; }
    const Entry& operator[](std::size_t at) const noexcept { return entries_[at]; }
    /// Room for at least so many more.
    void make_room(std::size_t count);
    /// Requires: there is room. The new one's content is up to the caller.
    std::size_t add() noexcept { return size_++; }
    void cut(std::size_t size) noexcept { size_ = size; }

   private:
    struct Free {
      void operator()(Entry* entries) const noexcept { std::free(entries); }
    };
    std::unique_ptr<Entry[], Free> entries_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
  };

  static constexpr std::uint32_t in_row = std::uint32_t{1} << 31;
  // Of the row's end, for a timer that is due before them; so many go into the heap at once, each only once.
  static constexpr std::size_t most_demoted = 4;

  bool row_is_empty() const noexcept { return front_ == row_.size(); }
  bool row_comes_first() const noexcept {
    return !row_is_empty() && (heap_.size() == 0 || row_[front_].before(heap_[0]));
  }
  const Entry& first() const noexcept { return row_comes_first() ? row_[front_] : heap_[0]; }

  void renumber();
  bool clear_end_of_row(TimePoint when) noexcept;
  void remove_from_row(std::size_t at) noexcept;
  void close_ranks() noexcept;
  void add_to_heap(const Entry& entry) noexcept;
  void remove_from_heap(std::size_t at) noexcept;
  void place(std::size_t at, const Entry& entry) noexcept;
  void place_in_row(std::size_t at, const Entry& entry) noexcept;
  void sift_up(std::size_t at, const Entry& entry) noexcept;
  void sift_down(std::size_t at, const Entry& entry) noexcept;

  Entries heap_;
  Entries row_;              // Sorted. If not empty, those at `front_` and at the end were not removed.
  std::size_t front_ = 0;    // Of the row; what is before that has been taken out.
  std::size_t removed_ = 0;  // In the row, behind `front_`.
  std::uint32_t next_sequence_;
};

}  // namespace gather::async
