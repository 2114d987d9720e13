/// How a run treats the hosts it asks when they have had enough: closed until they said, fewer at once after
/// that, and no end of retries.
#pragma once

#include "core/run/admission.hpp"
#include "core/run/claims.hpp"
#include "core/run/hosts.hpp"
#include "core/run/outcome.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace gather::run {

/// - A host that answers 429 or 503 with Retry-After is closed for all its tasks until then, and its
///   places are halved; every ten passes give it one back.
/// - If it asks for more than longest_retry_after, its tasks fail until then, without a request.
/// - It has so many retries: 100, or as many as one of its tasks may make if that is more, and one for each
///   attempt that passed. A host that is down is not asked four times for each of 50,000 files.
///
/// Source of the halving: V. Jacobson, "Congestion Avoidance and Control", SIGCOMM 1988 (additive increase,
/// multiplicative decrease).
class HostManners {
 public:
  /// All of them outlive this.
  HostManners(const job::Job& job, const Hosts& hosts, const Claims& claims, Admission& admission);

  /// Takes in the hosts of a task that has had none, after `hosts` and `claims` have.
  void learn(job::TaskId id, const job::Task& task);

  /// To be told of the end of every attempt, of one with mirrors at the end of each; true if the host
  /// was open, and is to be left alone from now on. No-op for no_host.
  bool attempt_ended(HostId host, const Outcome& outcome, Duration now);

  /// Takes one of the retries that the host has left; false if there is none. no_host has always some.
  bool take_retry(HostId host);

  /// How an attempt that was let in ends without a request, if this host is to be left alone. It does not
  /// count for the host's rate then.
  std::optional<Outcome> refusal(HostId host, Duration now);

  /// How long the host is to be left alone, for longer than is waited for, too; nothing if it may be asked.
  std::optional<Duration> rest_of(HostId host, Duration now) const;

 private:
  struct State {
    std::size_t max;  // As configured.
    std::size_t places;
    std::size_t passes = 0;  // Since the last place came back.
    std::size_t retries;
    Duration closed_until{};
    Duration refused_until{};
    Duration asked_for{};  // What the host asked for when it was refused_until.
  };

  const Hosts& hosts_;
  const Claims& claims_;
  Admission& admission_;
  std::vector<State> states_;  // By HostId.
};

}  // namespace gather::run
