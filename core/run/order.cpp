#include "core/run/order.hpp"

#include "core/job/graph.hpp"

#include <random>

namespace gather::run {

std::vector<Duration> ranks(const job::Job& job, const std::vector<Duration>& expected) {
  std::vector<Duration> lengths = expected;
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] += job.tasks[i].delay;
  return job::upward_ranks(job, lengths);
}

std::vector<std::int64_t> order_keys(const job::Job& job, const Order& order, const Durations& durations) {
  std::vector<std::int64_t> keys(job.tasks.size(), 0);
  if (order.shuffle_seed) {
    std::mt19937_64 random(*order.shuffle_seed);
    for (std::int64_t& key : keys) key = static_cast<std::int64_t>(random() >> 1);
    return keys;
  }
  if (order.schedule == Schedule::fifo) return keys;
  std::vector<Duration> lengths = expected_durations(job, durations);
  if (order.schedule == Schedule::rank) lengths = ranks(job, lengths);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = lengths[i].count();
  return keys;
}

}  // namespace gather::run
