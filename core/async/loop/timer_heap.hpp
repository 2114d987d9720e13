/// Deadlines in order: a 4-ary heap of nodes that live elsewhere, earliest first, equal ones first come first
/// served.
#pragma once

#include "core/base/duration.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

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
  static constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
  std::size_t place_ = nowhere;
};

/// Insert, remove and pop are O(log n). Only growing the array allocates; a removed timer leaves nothing
/// behind.
class TimerHeap {
 public:
  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }

  /// Requires: not empty.
  TimePoint earliest() const noexcept { return entries_.front().when; }

  /// Requires: `timer` is not armed.
  void insert(Timer& timer, TimePoint when);

  /// No-op when it is not armed.
  void remove(Timer& timer) noexcept;

  /// Takes out the earliest timer if its deadline is `now` or before, else returns null.
  Timer* pop_due(TimePoint now) noexcept;

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t sequence;  // Breaks ties by order of insertion.
    Timer* timer;

    bool before(const Entry& other) const noexcept {
      return when != other.when ? when < other.when : sequence < other.sequence;
    }
  };

  void place(std::size_t at, const Entry& entry) noexcept;
  void sift_up(std::size_t at, const Entry& entry) noexcept;
  void sift_down(std::size_t at, const Entry& entry) noexcept;

  std::vector<Entry> entries_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace gather::async
