#include "core/run/lag.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/task/future.hpp"

#include <algorithm>

namespace gather::run {

async::Co<> LagProbe::watch() {
  async::Loop& loop = (co_await async::this_task()).loop();
  constexpr Duration between = std::chrono::milliseconds(100);
  for (Duration wait = std::chrono::milliseconds(5);; wait = between) {
    const async::TimePoint due = loop.now() + wait;
    co_await async::sleep(wait);
    lateness_.push_back(loop.now() - due);
  }
}

LoopLag LagProbe::summary() const {
  if (lateness_.empty()) return {};
  std::vector<Duration> sorted = lateness_;
  std::ranges::sort(sorted);
  const auto at = [&](std::size_t percent) { return sorted[(sorted.size() - 1) * percent / 100]; };
  return {at(50), at(99), sorted.back()};
}

}  // namespace gather::run
