/// The poller of a test loop: another one, with a limit in real time, and with an eye on what is ready.
#pragma once

#include "core/async/loop/poller.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gather::testing {

class Settle;

/// Stands between a loop and its poller. A loop calls wait() exactly when nothing is ready, which is what
/// settle() waits for.
class TestPoller final : public async::Poller {
 public:
  /// `limit` is real time from now on. `dump` tells what every task waits for, `left` takes the types of
  /// handles that nobody closed; it must outlive the poller.
  TestPoller(std::unique_ptr<async::Poller> inner, Duration limit, std::vector<std::string>& left);
  ~TestPoller() override;

  void set_dump(std::function<std::string()> dump) { dump_ = std::move(dump); }

  async::TimePoint now() const noexcept override { return inner_->now(); }
  void poll() override;
  void wait(std::optional<async::TimePoint> deadline) override;
  void wake() noexcept override { inner_->wake(); }
  uv_loop_s& uv() noexcept override { return inner_->uv(); }
  bool is_virtual() const noexcept override { return inner_->is_virtual(); }

  void add(Settle& settle) { settling_.push_back(&settle); }
  void remove(Settle& settle) noexcept { std::erase(settling_, &settle); }

 private:
  using Clock = std::chrono::steady_clock;

  void check_limit();
  void look_sometimes();
  bool settle_now(std::optional<async::TimePoint> deadline);

  std::unique_ptr<async::Poller> inner_;
  std::vector<std::string>& left_;
  std::vector<const void*> own_handles_;  // Of the inner poller.
  std::function<std::string()> dump_;
  std::vector<Settle*> settling_;
  Duration limit_;
  Clock::time_point end_;
  unsigned passes_ = 0;
  bool expired_ = false;
  bool polled_in_vain_ = false;  // A poll for settle() was the last thing that happened.
};

}  // namespace gather::testing
