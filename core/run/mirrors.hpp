/// Several URLs for the same bytes: which of them is asked next, and what it comes to if all have failed.
/// Asks nobody itself.
#pragma once

#include "core/job/model.hpp"
#include "core/run/executor.hpp"
#include "core/run/host_manners.hpp"
#include "core/run/hosts.hpp"
#include "core/run/outcome.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

namespace gather::run {

/// How one mirror failed; it was not asked at all if it rests.
struct MirrorFailed {
  std::string url;
  Outcome outcome;
  std::optional<Duration> rests = {};
};

/// Whether another mirror may do better: always, except where the failure is on this side, or the attempt is
/// over whoever is asked.
bool mirror_may_mend(const Outcome& outcome);

/// The one outcome for an attempt that found no mirror which serves: the first that is worth a retry under
/// `policy`, else the first. It tells of the others, too. A Retry-After is in it only if all of them rest.
///
/// Requires: at least one.
Outcome without_a_mirror(std::span<const MirrorFailed> failed, const job::RetryPolicy& policy);

/// The attempts under way at tasks that have mirrors, those that wait for the place at one included.
///
/// See *Mirrors, names that come late, codings, pages* in core/README.md.
class MirrorRounds {
 public:
  /// One attempt.
  struct Round {
    std::size_t mirror = 0;  ///< The one that is asked, or for whose host it waits, from 0.
    std::map<std::size_t, MirrorFailed> failed = {};
    std::optional<Duration> start = {};  ///< When the first was let in.
    Duration ran{};                      ///< In all, without the waits between two.
    AttemptResult result = {};           ///< What those that failed have told.
  };

  /// A task as it runs, with its templates filled in.
  using Tasks = std::function<const job::Task&(job::TaskId)>;

  /// All of them outlive this.
  MirrorRounds(Tasks tasks, const Hosts& hosts, const HostManners& manners)
      : tasks_(std::move(tasks)), hosts_(hosts), manners_(manners) {}

  /// Chooses the URL to wait for, as turn_or_wait() does. No-op for a task without mirrors.
  void begin(job::TaskId task, Duration now);
  void end(job::TaskId task) { rounds_.erase(task); }

  /// Null for a task without mirrors, or one that does not wait for a place and has none. Stays where it is
  /// until its end.
  Round* of(job::TaskId task);
  const std::unordered_map<job::TaskId, Round>& all() const { return rounds_; }

  /// Turns to the first URL that has not failed and whose host may be asked; false if there is none.
  bool turn(job::TaskId task, Duration now);
  /// The same, else turns to the one whose host may be asked soonest; true if it is another than before.
  bool turn_or_wait(job::TaskId task, Duration now);

  /// To be told how the mirror at hand failed.
  void failed(job::TaskId task, const Outcome& outcome, Duration now);
  /// What it comes to if no other is asked. Requires: one has failed.
  Outcome outcome(job::TaskId task, Duration now) const;

 private:
  const job::Fetch& fetch_of(job::TaskId task) const;

  Tasks tasks_;
  const Hosts& hosts_;
  const HostManners& manners_;
  std::unordered_map<job::TaskId, Round> rounds_;
};

}  // namespace gather::run
