#include "core/run/process_leave.hpp"

#include <algorithm>

namespace gather::run {

void ProcessLeave::look_at_machine(Duration now) {
  if (machine_ == nullptr) return;
  // One runs whatever the machine says, or a run would wait for what others do.
  const bool room = running_ == 0 || machine_->has_room();
  const std::int64_t allowed = room ? running_ + 1 : running_;
  if (allowed == allowed_) return;
  admission_.resize(*claims_.machine(), allowed - std::exchange(allowed_, allowed), now);
}

void ProcessLeave::process_started() {
  ++running_;
  if (machine_ != nullptr) machine_->process_started();
}

bool ProcessLeave::take_token(Duration now) {
  if (tokens_ == nullptr || !admission_.is_lacked(*claims_.tokens(), now) || !tokens_->take()) return false;
  ++held_;
  admission_.resize(*claims_.tokens(), 1, now);
  return true;
}

void ProcessLeave::settle(Duration now, const std::function<void()>& come) {
  if (tokens_ == nullptr) return;
  while (held_ > 0 && admission_.free(*claims_.tokens()) > 0) {
    admission_.resize(*claims_.tokens(), -1, now);
    --held_;
    tokens_->give_back();
  }
  if (std::exchange(ran_, running_ > 0) && running_ == 0) tokens_->nothing_runs();
  const bool wanted = admission_.is_lacked(*claims_.tokens(), now);
  if (std::exchange(watching_, wanted) == wanted) return;
  tokens_->watch(wanted ? come : std::function<void()>());
}

bool ProcessLeave::waits_for_machine(Duration now) {
  return machine_ != nullptr && admission_.is_lacked(*claims_.machine(), now);
}

void ProcessLeave::close() {
  if (std::exchange(watching_, false)) tokens_->watch({});
  for (; held_ > 0; --held_) tokens_->give_back();
}

}  // namespace gather::run
