/// Signals under asyncio's names, add_signal_handler and remove_signal_handler, and as something to await.
#pragma once

#include "core/async/io/signal.hpp"
#include "core/async/sync/waiters.hpp"
#include "core/async/task/co.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace gather::async {

/// Calls `callback` on `loop` each time the signal `number` arrives, as call_soon does, until the handler is
/// removed or the loop closes. A second handler for a number takes the first one's place. What the callback
/// throws goes to the loop's exception handler; it may add and remove handlers. Children inherit no
/// handling. Throws as SignalWatch does.
///
///     add_signal_handler(loop, SIGTERM, [&] { task.cancel(); });
void add_signal_handler(Loop& loop, int number, std::function<void()> callback);

/// False if `number` had no handler. The signal's default action is back then, if nothing else watches it.
/// Throws std::invalid_argument for a number that is no signal.
bool remove_signal_handler(Loop& loop, int number);

/// The signals that have come since it was made, one after the other.
///
///     Signals signals(loop, {SIGHUP, SIGTERM});
///     while (co_await signals.next() == SIGHUP) reload();
///
/// While one waits to be taken, another of its number adds nothing, so what is kept is small. It must outlive
/// those who wait in it, and die before its loop.
class Signals {
 public:
  /// Throws as SignalWatch does.
  Signals(Loop& loop, const std::vector<int>& numbers);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  class Next;
  /// Resumes with the number that has waited longest, at once if one has come. Several callers are served in
  /// the order of their calls. A cancel loses no signal.
  Next next() noexcept;

 private:
  void arrived(int number);
  bool wake_next() noexcept;

  std::deque<int> come_;
  std::size_t promised_ = 0;  // So many of them, from the front, belong to callers that have been woken.
  WaitQueue waiters_;
  std::vector<std::unique_ptr<SignalWatch>> watches_;
};

class Signals::Next final : public WaitOp {
 public:
  explicit Next(Signals& signals) noexcept : WaitOp(signals.waiters_), signals_(signals) {}
  bool await_ready() noexcept;
  int await_resume();

 private:
  void undo() noexcept override;

  Signals& signals_;
  int number_ = 0;  // 0 until it has one.
};

inline Signals::Next Signals::next() noexcept { return Next(*this); }

/// Waits for the first of these signals, and gives its number. They are watched from the await on and until
/// it ends; what comes before has its default action. Throws as SignalWatch does.
Co<int> wait_for_signal(std::vector<int> numbers);

}  // namespace gather::async
