#include "core/process/launcher/replies.hpp"

#include <algorithm>

namespace gather::process::launcher {

void Replies::started(std::uint64_t id, pid_t pid, Clock::time_point now) {
  waiting_.push_back({id, pid, now});
}

void Replies::say(Kind kind, std::uint64_t id, const Writer& body, Clock::time_point now) {
  if (kind == Kind::ended) {
    const auto start = std::ranges::find(waiting_, id, &Start::id);
    if (start != waiting_.end()) {
      tell_of(*start, now);
      waiting_.erase(start);
    }
  }
  send(channel_, kind, id, body);
}

bool Replies::flush(Clock::time_point now) {
  auto end = waiting_.end();
  if (waiting_.size() < most_waiting)
    end = std::ranges::find_if(waiting_, [now](const Start& start) { return now < start.at + longest_wait; });
  std::for_each(waiting_.begin(), end, [&](const Start& start) { tell_of(start, now); });
  waiting_.erase(waiting_.begin(), end);
  return channel_.flush();
}

std::optional<Replies::Clock::time_point> Replies::due() const noexcept {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front().at + longest_wait;
}

void Replies::tell_of(const Start& start, Clock::time_point now) {
  send(channel_, Kind::started, start.id, Writer() << start.pid << Duration(now - start.at).count());
}

}  // namespace gather::process::launcher
