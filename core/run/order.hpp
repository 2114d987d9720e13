/// What decides among ready tasks of the same priority: one key for each task, made before the run.
#pragma once

#include "core/job/model.hpp"
#include "core/run/durations.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gather::run {

enum class Schedule : std::uint8_t {
  rank,  ///< The longest remaining path first.
  fifo,  ///< File order.
  lpt,   ///< The longest expected task first.
};

struct Order {
  Schedule schedule = Schedule::rank;
  std::optional<std::uint64_t> shuffle_seed = {};  ///< Any order that needs allow, drawn from this seed.
};

/// By task, the time from its start to the end of the job that is expected at best: its own length, its
/// delay, and the longest path among its dependants. Source: "upward rank" in H. Topcuoglu et al.,
/// "Performance-effective and low-complexity task scheduling for heterogeneous computing", IEEE TPDS 13(3),
/// 2002.
std::vector<Duration> ranks(const job::Job& job, const std::vector<Duration>& expected);

/// By task; the greatest goes first, and equal ones in file order. The same order and job give the same keys.
std::vector<std::int64_t> order_keys(const job::Job& job, const Order& order, const Durations& durations);

}  // namespace gather::run
