#include "core/async/loop/poller.hpp"
#include "core/async/task/error.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>

namespace gather::async {
namespace {

class VirtualPoller final : public Poller {
 public:
  TimePoint now() const noexcept override { return now_; }
  void poll() override {}
  void wait(std::optional<TimePoint> deadline) override {
    if (!deadline)
      throw Deadlock("virtual loop: nothing is ready, no timer is set, and the main coroutine still waits");
    now_ = std::max(now_, *deadline);  // A deadline may have passed when it was set.
  }
  void wake() noexcept override {}
  uv_loop_s& uv() noexcept override {
    assert(false && "a virtual loop opens no libuv handle");
    std::abort();
  }
  bool is_virtual() const noexcept override { return true; }

 private:
  TimePoint now_{};
};

}  // namespace

std::unique_ptr<Poller> make_virtual_poller() { return std::make_unique<VirtualPoller>(); }

}  // namespace gather::async
