#include "core/testing/test_poller.hpp"

#include "core/async/task/error.hpp"
#include "core/base/duration.hpp"
#include "core/testing/settle.hpp"
#include "core/testing/test_loop.hpp"

#include <fmt/format.h>
#include <uv.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace gather::testing {
namespace {

std::vector<uv_handle_t*> open_handles(uv_loop_t& loop) {
  std::vector<uv_handle_t*> handles;
  uv_walk(
      &loop,
      [](uv_handle_t* handle, void* into) {
        if (uv_is_closing(handle) == 0) static_cast<std::vector<uv_handle_t*>*>(into)->push_back(handle);
      },
      &handles);
  return handles;
}

}  // namespace

TestPoller::TestPoller(std::unique_ptr<async::Poller> inner, Duration limit, std::vector<std::string>& left)
    : inner_(std::move(inner)), left_(left), limit_(limit), end_(Clock::now() + limit) {
  if (is_virtual()) return;
  for (const uv_handle_t* const handle : open_handles(uv())) own_handles_.push_back(handle);
}

// The loop has closed what it owned, so what is open now was leaked. The inner poller would wait for it for
// ever: it is closed here, and its memory stays with whoever forgot it.
TestPoller::~TestPoller() {
  if (is_virtual()) return;
  for (uv_handle_t* const handle : open_handles(uv())) {
    if (std::ranges::find(own_handles_, handle) != own_handles_.end()) continue;
    left_.emplace_back(uv_handle_type_name(uv_handle_get_type(handle)));
    uv_close(handle, nullptr);
  }
}

void TestPoller::poll() {
  look_sometimes();
  polled_in_vain_ = false;
  inner_->poll();
}

void TestPoller::wait(std::optional<async::TimePoint> deadline) {
  if (!settling_.empty() && settle_now(deadline)) return;
  polled_in_vain_ = false;
  if (is_virtual()) {
    look_sometimes();
    try {
      inner_->wait(deadline);
    } catch (const async::Deadlock& deadlock) {
      throw async::Deadlock(deadlock.what() + (":\n" + dump_()));
    }
  } else {
    check_limit();
    const async::TimePoint last = now() + (end_ - Clock::now());
    inner_->wait(deadline ? std::min(*deadline, last) : last);
  }
}

// Nothing is ready now. True: the loop shall look again before it waits.
bool TestPoller::settle_now(std::optional<async::TimePoint> deadline) {
  if (deadline && *deadline <= now()) return false;  // That is not waiting: its timer only has to fire.
  if (!is_virtual() && !std::exchange(polled_in_vain_, true)) {
    inner_->poll();  // If it makes anything ready, the loop calls poll() next, else wait() again.
    return true;
  }
  polled_in_vain_ = false;
  for (Settle* const each : std::exchange(settling_, {})) each->complete();
  return true;
}

void TestPoller::look_sometimes() {
  if (++passes_ % 256 == 0) check_limit();  // A step takes less time than asking for it.
}

void TestPoller::check_limit() {
  if (Clock::now() < end_) return;
  const std::string text =
      fmt::format("the test was not done after {}; what its tasks wait for:\n{}", show(limit_), dump_());
  if (expired_) {  // It was cancelled when the time was up the first time, and does not end.
    std::fprintf(stderr, "%sThey were cancelled, and go on. Giving up.\n", text.c_str());
    std::abort();
  }
  expired_ = true;
  end_ = Clock::now() + limit_;
  throw TestFailure(text);
}

}  // namespace gather::testing
