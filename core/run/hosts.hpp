/// Which hosts each task asks, and what holds for each host: worked out before a run, or, for a task whose
/// URLs are known only then, when it is ready.
#pragma once

#include "core/job/hosts.hpp"
#include "core/job/model.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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

  /// Takes in the URLs of a task that has had none; new hosts come behind those that are known.
  void learn(job::TaskId task, std::size_t tasks, const job::Fetch& fetch);

  /// That of its URL, the first if it has several; no_host for a task that fetches nothing, or
  /// whose URL is not known yet.
  HostId of(job::TaskId task) const { return by_task_.empty() ? no_host : by_task_[job::index(task)]; }
  /// Those of its URLs, in their order, perhaps the same one twice; empty for a task that has one URL at
  /// most.
  std::span<const HostId> mirrors(job::TaskId task) const;
  std::span<const Limited> all() const { return hosts_; }

 private:
  HostId host_in(std::string_view url);

  std::vector<job::HostLimit> limits_;
  std::unordered_map<std::string, HostId> known_;         // By how the host is spelt.
  std::map<std::string, HostId, std::less<>> spellings_;  // By the beginning of URLs.
  std::vector<HostId> by_task_;  // Empty if no task fetches: a million sleeps need no table.
  std::unordered_map<job::TaskId, std::vector<HostId>> mirrors_;
  std::vector<Limited> hosts_;
};

}  // namespace gather::run
