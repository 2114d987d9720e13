#include "core/async/loop/pause.hpp"
#include "core/async/loop/poller.hpp"
#include "core/base/error.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>

namespace gather::async {
namespace {

[[noreturn]] void refuse(const char* what, int error) {
  throw Error(
      ExitStatus::task_failed,
      fmt::format("can't start the event loop: {}: {}; is the limit on open files (ulimit -n) very low?",
                  what, uv_strerror(error)));
}

/// libuv aborts the process where it finds none for its pipe of signals: so look first. 0, or what is the
/// matter.
int lacking_descriptors() noexcept {
  constexpr std::size_t of_libuv = 8;  // What a first loop opens, in libuv 1.44, and our timer.
  std::array<int, of_libuv> opened{};
  std::size_t count = 0;
  int error = 0;
  while (count < opened.size() && error == 0) {
    opened[count] = eventfd(0, EFD_CLOEXEC);
    if (opened[count] < 0)
      error = -errno;
    else
      ++count;
  }
  while (count > 0) close(opened[--count]);
  return error;
}

/// Passes follow each other within microseconds while one event leads to the next, and each system call of
/// theirs would cost as much as they do. Events wait that long at most, besides for the pass itself.
constexpr Duration between_polls = std::chrono::microseconds(100);

/// By how much our clocks are behind the system's, which goes on while we are stopped.
std::atomic<Duration::rep> excluded = 0;

class UvPoller final : public Poller {
 public:
  UvPoller() {
    if (const int error = lacking_descriptors(); error != 0) refuse("eventfd", error);
    if (const int error = uv_loop_init(&loop_); error != 0) refuse("uv_loop_init", error);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer_ < 0) {
      const int error = -errno;
      uv_loop_close(&loop_);
      refuse("timerfd_create", error);
    }
    // Neither can fail once the loop stands and the descriptor is good; should they, starting without them
    // would hang.
    if (const int error = uv_async_init(&loop_, &wake_, [](uv_async_t*) {}); error != 0)
      refuse("uv_async_init", error);
    if (const int error = uv_poll_init(&loop_, &timer_watch_, timer_); error != 0)
      refuse("uv_poll_init", error);
    timer_watch_.data = this;
    uv_poll_start(&timer_watch_, UV_READABLE,
                  [](uv_poll_t* handle, int, int) { static_cast<UvPoller*>(handle->data)->timer_fired(); });
  }
  UvPoller(const UvPoller&) = delete;
  UvPoller& operator=(const UvPoller&) = delete;

  ~UvPoller() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&timer_watch_), nullptr);
    uv_run(&loop_,
           UV_RUN_DEFAULT);  // Until every close callback has run; owners of handles have closed theirs.
    [[maybe_unused]] const int error = uv_loop_close(&loop_);
    assert(error == 0 && "a libuv handle outlived its owner");
    close(timer_);
  }

  TimePoint now() const noexcept override {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return TimePoint(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec) -
                     Duration(excluded.load(std::memory_order_relaxed)));
  }

  void poll() override {
    const TimePoint time = now();
    if (time - polled_ < between_polls) return;
    polled_ = time;
    uv_run(&loop_, UV_RUN_NOWAIT);
  }

  void wait(std::optional<TimePoint> deadline) override {
    if (deadline && (!armed_for_ || *deadline < *armed_for_)) arm(*deadline);
    uv_run(&loop_, UV_RUN_ONCE);
    polled_ = now();
  }

  void wake() noexcept override { uv_async_send(&wake_); }
  uv_loop_s& uv() noexcept override { return loop_; }
  bool is_virtual() const noexcept override { return false; }

 private:
  // An absolute deadline can't be early, and one that has passed fires at once. It stays armed while other
  // events come in, and when its timer is cancelled: one wait that ends early costs less than a system call
  // for each.
  void arm(TimePoint deadline) noexcept {
    using namespace std::chrono;
    const auto since_boot = std::max<nanoseconds>(
        deadline.time_since_epoch() + Duration(excluded.load(std::memory_order_relaxed)),
        nanoseconds(1));  // All zero would disarm.
    itimerspec setting{};
    setting.it_value.tv_sec = static_cast<time_t>(duration_cast<seconds>(since_boot).count());
    setting.it_value.tv_nsec = static_cast<long>((since_boot % seconds(1)).count());
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &setting, nullptr);
    armed_for_ = deadline;
  }

  void timer_fired() noexcept {
    std::array<char, 8> expirations;
    [[maybe_unused]] const auto bytes = read(timer_, expirations.data(), expirations.size());
    armed_for_.reset();
  }

  uv_loop_t loop_{};
  uv_async_t wake_{};  // Also keeps the loop alive, so that a wait really waits.
  uv_poll_t timer_watch_{};
  int timer_ = -1;
  TimePoint polled_{};
  std::optional<TimePoint> armed_for_;
};

}  // namespace

void exclude_from_clocks(Duration length) noexcept {
  excluded.fetch_add(length.count(), std::memory_order_relaxed);
}

std::unique_ptr<Poller> make_uv_poller() { return std::make_unique<UvPoller>(); }

}  // namespace gather::async
