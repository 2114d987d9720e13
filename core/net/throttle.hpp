/// Throttle: so many bytes per second for all transfers of a session together. Only files of core/net include
/// this.
#pragma once

#include "core/async/loop/loop.hpp"

#include <cstdint>
#include <deque>

namespace gather::net {

/// A bucket that fills at the rate and holds a tenth of a second of it. A piece is taken whole once there is
/// anything in it, so it may be overdrawn by one piece, which is made up for before the next one.
///
/// Who finds it empty waits in a queue: the transfers take turns, whatever their servers could send.
class Throttle {
 public:
  /// One transfer that takes pieces.
  class Taker {
   public:
    Taker(const Taker&) = delete;
    Taker& operator=(const Taker&) = delete;

    /// From the loop, outside libcurl: it may ask again.
    virtual void on_turn() noexcept = 0;

   protected:
    Taker() = default;
    ~Taker() = default;
  };

  /// `rate` is in bytes per second, at least 1. The loop outlives this, and this every taker that waits.
  Throttle(async::Loop& loop, std::uint64_t rate);
  Throttle(const Throttle&) = delete;
  Throttle& operator=(const Throttle&) = delete;
  ~Throttle();

  /// Whether a piece may be taken now; if not, on_turn() is called later, once. Throws std::bad_alloc.
  bool allows(Taker& taker);
  /// What was taken.
  void spend(std::uint64_t bytes) noexcept;
  /// No longer waits, if it did.
  void forget(Taker& taker) noexcept;

 private:
  void refill() noexcept;
  void wake_later();
  void wake() noexcept;

  async::Loop& loop_;
  const double rate_;  // Bytes per second.
  double there_;       // Bytes; below 0 after a piece that was larger than what was there.
  async::TimePoint filled_;
  std::deque<Taker*> waiting_;
  Taker* turn_of_ = nullptr;  // While he is told.
  async::Call waking_;
  bool wakes_ = false;
};

}  // namespace gather::net
