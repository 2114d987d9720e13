/// Which hosts each task asks, and what holds for each host: worked out once, before a run.
#pragma once

#include "core/job/hosts.hpp"
#include "core/job/model.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace gather::run {

/// A host's place among those of a job, in the order in which its tasks name them.
enum class HostId : std::uint32_t {};
inline constexpr HostId no_host{0xffff'ffff};

constexpr std::size_t index(HostId id) { return static_cast<std::size_t>(id); }

class Hosts {
 public:
  struct Limited {
    job::Host host;
    std::size_t max = job::usual_host_max;
    std::optional<job::Rate> rate;
  };

  Hosts() = default;
  /// Each host gets the most specific of `limits`, or the usual one.
  Hosts(const job::Job& job, std::span<const job::HostLimit> limits);

  /// That of its URL, the first if it has several; no_host for a task that fetches nothing.
  HostId of(job::TaskId task) const { return by_task_.empty() ? no_host : by_task_[job::index(task)]; }
  /// Those of its URLs, in their order, perhaps the same one twice; empty for a task that has one URL at
  /// most.
  std::span<const HostId> mirrors(job::TaskId task) const;
  std::span<const Limited> all() const { return hosts_; }

 private:
  std::vector<HostId> by_task_;  // Empty if no task fetches: a million sleeps need no table.
  std::unordered_map<job::TaskId, std::vector<HostId>> mirrors_;
  std::vector<Limited> hosts_;
};

}  // namespace gather::run
