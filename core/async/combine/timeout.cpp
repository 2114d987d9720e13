#include "core/async/combine/timeout.hpp"

namespace gather::async {

// A request that was there on entry but not yet delivered is foreign: it must win over a timeout of 0
// (CPython lets the timeout eat it, python/cpython#134471), so it does not count as known.
TimeoutScope::TimeoutScope(TaskCell& task, std::optional<TimePoint> when)
    : task_(task), when_(when), requests_on_entry_(task.cancelling() - (task.cancel_pending() ? 1 : 0)) {
  if (when_) task_.loop().arm(*this, *when_);
}

TimeoutScope::~TimeoutScope() {
  task_.loop().disarm(*this);
  settle();
}

void TimeoutScope::reschedule(std::optional<TimePoint> when) {
  if (expired_) return;
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
