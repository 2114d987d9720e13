#include "core/async/combine/timeout.hpp"

namespace gather::async {

// A request that was there on entry but not yet delivered is foreign and must win, so it does not count as
// known.
TimeoutScope::TimeoutScope(TaskCell& task, std::optional<TimePoint> when)
    : task_(task), when_(when), requests_on_entry_(task.cancelling() - (task.cancel_pending() ? 1 : 0)) {
  if (when_) task_.loop().arm(*this, *when_);
}

std::optional<TimePoint> TimeoutScope::deadline(const TaskCell& task,
                                                std::optional<Duration> length) noexcept {
  if (!length) return std::nullopt;
  return task.loop().now() + *length;
}

TimeoutScope::~TimeoutScope() {
  task_.loop().disarm(*this);
  settle();
}

void TimeoutScope::reschedule(std::optional<TimePoint> when) {
  if (expired_) throw InvalidState("a timeout that has expired can't be moved");
  task_.loop().disarm(*this);
  when_ = when;
  if (when_) task_.loop().arm(*this, *when_);
}

void TimeoutScope::on_time() noexcept {
  expired_ = true;
  own_request_ = task_.cancel();
}

int TimeoutScope::settle() noexcept {
  if (!own_request_) return task_.cancelling();
  own_request_ = false;
  return task_.uncancel();
}

void TimeoutScope::leave_cancelled() {
  task_.loop().disarm(*this);
  if (own_request_ && settle() <= requests_on_entry_) throw TimeoutError();
}

}  // namespace gather::async
