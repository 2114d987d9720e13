#include "core/net/throttle.hpp"

#include <algorithm>
#include <chrono>

namespace gather::net {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double held = 0.1;  // Seconds of the rate.

}  // namespace

Throttle::Throttle(async::Loop& loop, std::uint64_t rate)
    : loop_(loop), rate_(static_cast<double>(rate)), there_(rate_ * held), filled_(loop.now()) {}

Throttle::~Throttle() { waking_.cancel(); }

bool Throttle::allows(Taker& taker) {
  refill();
  // Whoever waits was there first, but for him whose turn it is.
  if (there_ > 0 && (waiting_.empty() || turn_of_ == &taker)) return true;
  waiting_.push_back(&taker);
  wake_later();
  return false;
}

void Throttle::spend(std::uint64_t bytes) noexcept { there_ -= static_cast<double>(bytes); }

void Throttle::forget(Taker& taker) noexcept { std::erase(waiting_, &taker); }

void Throttle::refill() noexcept {
  const async::TimePoint now = loop_.now();
  there_ =
      std::min(rate_ * held, there_ + rate_ * std::chrono::duration_cast<Seconds>(now - filled_).count());
  filled_ = now;
}

void Throttle::wake_later() {
  if (wakes_) return;
  const Seconds empty_for(std::max(0.0, -there_ / rate_));
  // A little later than never too early: at exactly 0 there is still nothing in it.
  waking_ = loop_.call_later(
      std::chrono::ceil<std::chrono::microseconds>(empty_for) + std::chrono::microseconds(100),
      [this] { wake(); });
  wakes_ = true;
}

void Throttle::wake() noexcept {
  wakes_ = false;
  refill();
  // Each once at most: one that comes again stands behind all others.
  for (std::size_t left = waiting_.size(); left > 0 && there_ > 0 && !waiting_.empty(); --left) {
    turn_of_ = waiting_.front();
    waiting_.pop_front();
    turn_of_->on_turn();
  }
  turn_of_ = nullptr;
  if (!waiting_.empty()) wake_later();
}

}  // namespace gather::net
