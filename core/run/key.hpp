/// Where a task stands among the ready ones.
#pragma once

#include "core/job/model.hpp"

#include <cstdint>

namespace gather::run {

/// Greater priority first, then greater rank, then file order.
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

}  // namespace gather::run
