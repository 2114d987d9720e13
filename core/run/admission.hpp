/// Who is let in next: the tasks that wait for a slot, in order, and the slots that are free.
#pragma once

#include "core/job/model.hpp"
#include "core/run/kind.hpp"
#include "core/run/record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace gather::run {

/// Slots by number, compact: always the lowest free one.
class Slots {
 public:
  explicit Slots(std::size_t size) : size_(size) {}

  bool any_free() const { return taken_ < size_; }
  int take();
  void give(int slot);

 private:
  std::size_t size_;
  std::size_t taken_ = 0;
  int never_used_ = 1;
  std::priority_queue<int, std::vector<int>, std::greater<>> returned_;
};

/// A table of rows, not a queue of coroutines: a task that waits for a slot costs one entry here.
///
/// A task takes a slot and a place of its kind at once or not at all, so nothing can hold one and wait for
/// the other. With every task of weight 1 nobody is overtaken by a lighter one, so there is nothing to
/// reserve for.
class Admission {
 public:
  explicit Admission(const LimitsInForce& limits);

  /// Where a task stands among the ready ones: greater priority first, then greater rank, then file order.
  struct Key {
    int priority;
    std::int64_t rank;
    job::TaskId id;

    /// Whether this one is let in after `other`.
    friend bool operator<(const Key& key, const Key& other) {
      if (key.priority != other.priority) return key.priority < other.priority;
      if (key.rank != other.rank) return key.rank < other.rank;
      return key.id > other.id;
    }
  };

  struct Admitted {
    job::TaskId id;
    int slot;
  };

  /// Requires: `kind` takes a slot.
  void wait(Kind kind, const Key& key);

  /// Lets in the first task whose limits have room, and takes its slot and place; nothing if there is none.
  std::optional<Admitted> next();

  void release(Kind kind, int slot);

  /// Forgets everyone who waits.
  void close();

 private:
  struct Queue {
    std::size_t free;
    std::priority_queue<Key> waiting;
  };

  Slots slots_;
  std::array<Queue, kind_count> queues_;
};

}  // namespace gather::run
