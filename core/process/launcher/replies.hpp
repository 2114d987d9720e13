/// Replies: what the launcher says to gather, and when it is sent.
#pragma once

#include "core/base/duration.hpp"
#include "core/process/launcher/messages.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gather::process::launcher {

/// Says things over a channel. Word of a start waits a little: if the program ends meanwhile, that is told in
/// the same packet, and gather wakes once for both. All else goes at the next flush.
class Replies {
 public:
  using Clock = std::chrono::steady_clock;

  /// Word of a start waits no longer than this.
  static constexpr Duration longest_wait = std::chrono::milliseconds(2);
  /// So many don't wait, since gather asks for a few starts at a time.
  static constexpr std::size_t most_waiting = 8;

  /// `channel` must outlive it, and nobody else sends over it.
  explicit Replies(Channel& channel) noexcept : channel_(channel) {}

  /// That a child has begun to run.
  void started(std::uint64_t id, pid_t pid, Clock::time_point now = Clock::now());
  /// Anything else. Of a child that is told to have ended it is told before that it was started.
  void say(Kind kind, std::uint64_t id, const Writer& body = {}, Clock::time_point now = Clock::now());
  template <class Value>
  void tell(Kind kind, std::uint64_t id, const Value& value) {
    Writer body;
    body << value;
    say(kind, id, body);
  }

  /// Sends what need not wait. False if something is left until the socket is writable.
  bool flush(Clock::time_point now = Clock::now());

  /// When flush() is to be called, whatever else happens; empty if nothing waits.
  std::optional<Clock::time_point> due() const noexcept;

 private:
  struct Start {
    std::uint64_t id = 0;
    pid_t pid = -1;
    Clock::time_point at;
  };
  void tell_of(const Start& start, Clock::time_point now);

  Channel& channel_;
  std::vector<Start> waiting_;  // The eldest first.
};

}  // namespace gather::process::launcher
