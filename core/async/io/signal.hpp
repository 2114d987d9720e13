/// Signals as callbacks on the loop.
#pragma once

#include <functional>
#include <memory>

namespace gather::async {

class Loop;

/// Calls `callback(number)` on the loop, as call_soon does, each time the signal arrives, from now until the
/// watch dies; also if the signal was inherited as ignored. Any number of watches, on any loops, may share a
/// signal. Signals are flags: of several that arrive at nearly the same moment some may be lost.
///
/// The callback may destroy the watch; what it throws goes to the loop's exception handler.
///
/// When the last watch of a number dies, the signal's default action is back, not what was there before the
/// first (libuv keeps no memory of that). Programs started meanwhile inherit no handling, nor do copies of
/// this process by fork(), where the default action is back; such a copy can't watch the same number itself.
///
/// Throws std::invalid_argument for a number that is no signal, KILL and STOP, which can't be caught, CHLD,
/// which libuv needs, and SEGV, BUS, FPE and ILL, which would come back for ever. Requires: the loop is on
/// the real clock, and outlives the watch.
class SignalWatch {
 public:
  SignalWatch(Loop& loop, int number, std::function<void(int)> callback);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;  // Calls on their way keep it, so that the callback may destroy the watch.
};

}  // namespace gather::async
