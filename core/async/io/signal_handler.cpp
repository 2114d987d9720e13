#include "core/async/io/signal_handler.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/loop/running.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace gather::async {

/// The handlers of one loop; by number.
class SignalHandlers {
 public:
  explicit SignalHandlers(Loop&) {}
  void close() noexcept { watches.clear(); }

  std::map<int, std::unique_ptr<SignalWatch>> watches;
};

void add_signal_handler(Loop& loop, int number, std::function<void()> callback) {
  // The old watch goes last, so that the default action is at no time back.
  auto watch = std::make_unique<SignalWatch>(loop, number, [call = std::move(callback)](int) { call(); });
  loop.service<SignalHandlers>()->watches[number].swap(watch);
}

bool remove_signal_handler(Loop& loop, int number) {
  if (number <= 0 || number >= NSIG)
    throw std::invalid_argument(fmt::format("there is no signal {}", number));
  return loop.service<SignalHandlers>()->watches.erase(number) > 0;
}

Signals::Signals(Loop& loop, const std::vector<int>& numbers) {
  for (const int number : numbers)
    watches_.push_back(std::make_unique<SignalWatch>(loop, number, [this](int which) { arrived(which); }));
}

void Signals::arrived(int number) {
  if (std::ranges::find(come_, number) != come_.end()) return;
  come_.push_back(number);
  wake_next();
}

bool Signals::wake_next() noexcept {
  if (come_.size() == promised_ || !waiters_.complete_first()) return false;
  ++promised_;
  return true;
}

bool Signals::Next::await_ready() noexcept {
  if (signals_.come_.size() == signals_.promised_) return false;
  const auto place = signals_.come_.begin() + static_cast<std::ptrdiff_t>(signals_.promised_);
  number_ = *place;
  signals_.come_.erase(place);
  return true;
}

int Signals::Next::await_resume() {
  leave();
  if (number_ == 0) {
    --signals_.promised_;
    number_ = signals_.come_.front();
    signals_.come_.pop_front();
  }
  return number_;
}

void Signals::Next::undo() noexcept {
  --signals_.promised_;
  signals_.wake_next();
}

Co<int> wait_for_signal(std::vector<int> numbers) {
  Signals signals(get_running_loop(), numbers);
  co_return co_await signals.next();
}

}  // namespace gather::async
