#include "core/async/io/signal.hpp"

#include "core/async/loop/handle.hpp"
#include "core/async/loop/loop.hpp"
#include "core/base/error.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <utility>

namespace gather::async {
namespace {

constexpr std::array refused = {SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

// How many watches each number has: what a child has to know when somebody calls fork().
std::array<std::atomic<int>, NSIG> watches;

// libuv's handler writes into a pipe that such a child shares with us: what is sent to it would arrive here.
void forget_in_children() {
  [[maybe_unused]] static const int registered = pthread_atfork(nullptr, nullptr, [] {
    for (int number = 1; number < NSIG; ++number)
      if (watches[static_cast<std::size_t>(number)] > 0) signal(number, SIG_DFL);
  });
}

}  // namespace

struct SignalWatch::State : std::enable_shared_from_this<State> {
  State(Loop& its_loop, std::function<void(int)> its_callback)
      : loop(its_loop), callback(std::move(its_callback)) {}

  static void arrived(uv_signal_t* handle, int number) noexcept {
    auto* const state = static_cast<State*>(handle->data);
    if (state == nullptr) return;
    state->loop.call_soon([self = state->shared_from_this(), number] {
      if (self->handle) self->callback(number);  // Else the watch has died since.
    });
  }

  Loop& loop;
  std::function<void(int)> callback;
  Handle<uv_signal_t> handle;
  std::size_t number = 0;
};

SignalWatch::SignalWatch(Loop& loop, int number, std::function<void(int)> callback)
    : state_(std::make_shared<State>(loop, std::move(callback))) {
  if (number <= 0 || number >= NSIG || std::ranges::find(refused, number) != refused.end())
    throw std::invalid_argument(fmt::format("signal {} can't be watched", number));
  auto handle = open_handle<uv_signal_t>(
      state_.get(), [&](uv_signal_t* signal) { return uv_signal_init(&loop.poller().uv(), signal); });
  if (!handle)
    throw Error(ExitStatus::task_failed,
                fmt::format("can't watch signals: {}", system_error_text(-handle.error())));
  if (uv_signal_start(handle->get(), &State::arrived, number) != 0)  // The numbers that glibc keeps.
    throw std::invalid_argument(fmt::format("signal {} can't be watched", number));
  state_->handle = *std::move(handle);
  state_->number = static_cast<std::size_t>(number);
  ++watches[state_->number];
  forget_in_children();
}

SignalWatch::~SignalWatch() {
  --watches[state_->number];
  state_->handle.reset();
}

}  // namespace gather::async
