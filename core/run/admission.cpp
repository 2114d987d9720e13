#include "core/run/admission.hpp"

#include <cassert>

namespace gather::run {

int Slots::take() {
  assert(any_free());
  ++taken_;
  if (returned_.empty()) return never_used_++;
  const int slot = returned_.top();
  returned_.pop();
  return slot;
}

void Slots::give(int slot) {
  assert(taken_ > 0);
  --taken_;
  returned_.push(slot);
}

Admission::Admission(const LimitsInForce& limits)
    : slots_(limits.jobs),
      // In the order of Kind. Sleeps have no limit of their own.
      queues_{Queue{limits.jobs, {}}, Queue{limits.processes, {}}, Queue{limits.fetches, {}}} {}

void Admission::wait(Kind kind, const Key& key) { queues_[static_cast<std::size_t>(kind)].waiting.push(key); }

std::optional<Admission::Admitted> Admission::next() {
  if (!slots_.any_free()) return std::nullopt;
  Queue* best = nullptr;
  for (Queue& queue : queues_) {
    if (queue.free == 0 || queue.waiting.empty()) continue;
    if (best == nullptr || best->waiting.top() < queue.waiting.top()) best = &queue;
  }
  if (best == nullptr) return std::nullopt;
  const job::TaskId id = best->waiting.top().id;
  best->waiting.pop();
  --best->free;
  return Admitted{id, slots_.take()};
}

void Admission::release(Kind kind, int slot) {
  ++queues_[static_cast<std::size_t>(kind)].free;
  slots_.give(slot);
}

void Admission::close() {
  for (Queue& queue : queues_) queue.waiting = {};
}

}  // namespace gather::run
