/// What each task of a job takes while it runs: slots, places of its kind, a place at its host, units of
/// pools.
#pragma once

#include "core/run/admission.hpp"
#include "core/run/hosts.hpp"
#include "core/run/kind.hpp"

#include <array>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace gather::run {

/// Worked out once, before a run, into the resources and lines of an Admission.
class Claims {
 public:
  /// Whether processes need a token (see Tokens), and leave of the machine (see Machine) besides.
  struct Outside {
    bool tokens = false;
    bool machine = false;
  };

  /// `admission` outlives this.
  Claims(const job::Job& job, const LimitsInForce& limits, const Hosts& hosts, Outside outside,
         Admission& admission);

  /// Takes in tasks that have been added at the end of the job. Requires: none of them fetches.
  void grown(const job::Job& job);

  /// Takes in the hosts of a task that has had none, after `hosts` has.
  void learn(job::TaskId id, const job::Task& task, const Hosts& hosts);

  /// Requires: the task takes a slot (a milestone does not).
  LineId of(job::TaskId task) const { return lines_[job::index(task)]; }

  /// The same while it asks this one of its URLs, from 0. Requires: it has several.
  LineId of(job::TaskId task, std::size_t mirror) const { return mirrors_.at(task)[mirror]; }

  /// The places at this host. Requires: one of `hosts`.
  ResourceId at(HostId host) const { return hosts_[index(host)]; }

  ResourceId jobs() const { return jobs_; }
  ResourceId processes() const { return processes_; }
  ResourceId fetches() const { return fetches_; }
  /// Tokens: at first one, for the first process. Leave of the machine: at first one, too. Nothing where they
  /// are not needed.
  std::optional<ResourceId> tokens() const { return tokens_; }
  std::optional<ResourceId> machine() const { return machine_; }

 private:
  void add_hosts(const Hosts& hosts);
  LineId line_for(const job::Task& task, HostId host);
  std::vector<Need> needs_of(const job::Task& task, HostId host) const;
  LineId line_with(const std::vector<Need>& needs, bool starves);

  Admission& admission_;
  ResourceId jobs_;
  ResourceId processes_;
  ResourceId fetches_;
  std::vector<ResourceId> hosts_;
  std::vector<ResourceId> pools_;
  std::optional<ResourceId> tokens_;
  std::optional<ResourceId> machine_;
  std::map<std::vector<Need>, LineId> known_;
  // Of tasks that take one of each and no pool: by kind; for fetches by host.
  std::array<std::optional<LineId>, kind_count> plain_;
  std::vector<std::optional<LineId>> plain_at_;
  std::vector<LineId> lines_;                                     // By task.
  std::unordered_map<job::TaskId, std::vector<LineId>> mirrors_;  // By URL, of tasks that have several.
};

}  // namespace gather::run
