/// Deadlines in order: a 4-ary heap of nodes that live elsewhere, earliest first, equal ones first come first
/// served.
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

/// Something that waits for a deadline, in one place at a time. The heap does not own it; whoever does must
/// take it out before it dies.
class Timer {
 public:
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return place_ != nowhere; }

  /// Called once, after it was taken out of the heap, never before its deadline. Must only enqueue.
  virtual void on_time() noexcept = 0;

 protected:
  Timer() = default;
  ~Timer();

 private:
  friend class TimerHeap;
  // Half a word each: every sleeping task has one of these.
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t place_ = nowhere;
  std::uint32_t sequence_ = 0;
};

/// Insert, remove and pop are O(log n). Only growing the array allocates; a removed timer leaves nothing
/// behind. It holds fewer than 2^32 timers.
class TimerHeap {
 public:
  /// Insertions are counted from `next_sequence`; tests begin shortly before the count runs out.
  explicit TimerHeap(std::uint32_t next_sequence = 0) noexcept : next_sequence_(next_sequence) {}

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  /// Requires: not empty.
  TimePoint earliest() const noexcept { return entries_[0].when; }

  /// Requires: `timer` is not armed.
  void insert(Timer& timer, TimePoint when);

  /// No-op when it is not armed.
  void remove(Timer& timer) noexcept;

  /// Takes out the earliest timer if its deadline is `now` or before, else returns null.
  Timer* pop_due(TimePoint now) noexcept;

 private:
  struct Entry {
    TimePoint when;
    Timer* timer;

    // Ties are broken by order of insertion, which the timer knows: they are rare, and a larger entry would
    // cost each level of the heap a cache line more.
    bool before(const Entry& other) const noexcept {
      if (when != other.when) [[likely]]
        return when < other.when;
      return timer->sequence_ < other.timer->sequence_;
    }
  };
  struct Free {
    void operator()(Entry* entries) const noexcept { std::free(entries); }
  };

  void grow();
  void renumber() noexcept;
  void place(std::size_t at, const Entry& entry) noexcept;
  void sift_up(std::size_t at, const Entry& entry) noexcept;
  void sift_down(std::size_t at, const Entry& entry) noexcept;

  std::unique_ptr<Entry[], Free> entries_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::uint32_t next_sequence_;
};

}  // namespace gather::async
