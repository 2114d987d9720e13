#include "core/process/launcher/children.hpp"

#include "core/process/group.hpp"

#include <algorithm>
#include <cassert>
#include <csignal>
#include <utility>

namespace gather::process::launcher {

void Children::add(std::uint64_t id, Child child) {
  by_pid_.emplace(child.pid, id);
  staying_.forget(child.pid);
  by_id_.emplace(id, std::move(child));
}

Child* Children::find(std::uint64_t id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

bool Children::is_done(const Child& child) {
  return (child.policy.leave && ended_well(child.pid)) || is_last_of_group(child.pid);
}

Reaped Children::reap(std::uint64_t id) {
  const auto found = by_id_.find(id);
  assert(found != by_id_.end());
  const Child& child = found->second;
  if (child.policy.leave && ended_well(child.pid))
    staying_.add(child.pid, child.attempt);
  else
    kill(-child.pid, SIGKILL);
  Reaped reaped = reap_child(child.pid);
  if (child.init) child.init->tell(reaped);
  by_pid_.erase(child.pid);
  by_id_.erase(found);
  return reaped;
}

void Children::clear() {
  by_id_.clear();
  by_pid_.clear();
}

void Children::signal_all(int number) const {
  for (const auto& [id, child] : by_id_) kill(-child.pid, number);
  process::signal_all(descendants(spare_staying()), number);  // Who left their groups.
}

Duration Children::longest_grace(Duration least) const {
  for (const auto& [id, child] : by_id_) least = std::max(least, child.policy.grace);
  return least;
}

Spared Children::spare_all() const {
  return [this](pid_t pid) { return by_pid_.contains(pid) || staying_.contains(pid); };
}

Spared Children::spare_staying() const {
  return [this](pid_t pid) { return staying_.contains(pid); };
}

}  // namespace gather::process::launcher
