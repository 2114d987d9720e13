#include "core/run/retry.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gather::run {
namespace {

// 408 and 425 say "again", 429 and 503 "later", the rest are the server's or its proxy's bad moment.
constexpr std::array passing_statuses{408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524};

bool contains(const auto& list, auto value) { return std::ranges::find(list, value) != std::end(list); }

struct Retryable {
  const job::RetryPolicy& policy;

  bool on(job::FailureKind kind) const { return contains(policy.on, kind); }

  bool operator()(const Passed&) const { return false; }
  bool operator()(const Exited& exited) const {
    return on(job::FailureKind::exit) &&
           (policy.exit_codes.empty() || contains(policy.exit_codes, exited.code));
  }
  bool operator()(const Signalled&) const { return on(job::FailureKind::signal); }
  bool operator()(const TimedOut&) const { return on(job::FailureKind::timeout); }
  bool operator()(const NotStarted&) const { return on(job::FailureKind::start); }
  bool operator()(const UnexpectedStatus& answer) const {
    if (answer.retry_after && *answer.retry_after > longest_retry_after) return false;
    if (answer.status < 400) return on(job::FailureKind::expect);
    return on(job::FailureKind::http) && (policy.status.empty() ? contains(passing_statuses, answer.status)
                                                                : contains(policy.status, answer.status));
  }
  bool operator()(const TransferFailed& failure) const {
    return failure.passing && on(job::FailureKind::http);
  }
  bool operator()(const ChecksumMismatch&) const { return on(job::FailureKind::http); }
  bool operator()(const NotAsExpected&) const { return on(job::FailureKind::expect); }
  bool operator()(const LocalFailure&) const { return false; }
  bool operator()(const Stopped&) const { return false; }
};

}  // namespace

Duration backoff(int retry, const job::RetryPolicy& policy, Random& random) {
  const double doubled = policy.backoff == job::Backoff::fixed ? 1 : std::ldexp(1, std::min(retry - 1, 62));
  const double longest = std::min(static_cast<double>(policy.max_delay.count()),
                                  static_cast<double>(policy.delay.count()) * doubled);
  const double share = policy.jitter ? std::uniform_real_distribution(0.5, 1.0)(random) : 1.0;
  const auto wait = Duration(static_cast<Duration::rep>(longest * share));
  return policy.jitter ? std::chrono::ceil<std::chrono::milliseconds>(wait) : wait;
}

bool is_retryable(const Outcome& outcome, const job::RetryPolicy& policy) {
  return std::visit(Retryable{policy}, outcome);
}

std::optional<Duration> wait_before_retry(const Outcome& outcome, int attempt, const job::RetryPolicy& policy,
                                          Random& random) {
  if (attempt >= policy.attempts || !is_retryable(outcome, policy)) return std::nullopt;
  const Duration wait = backoff(attempt, policy, random);
  const auto* answer = std::get_if<UnexpectedStatus>(&outcome);
  return answer != nullptr && answer->retry_after ? std::max(wait, *answer->retry_after) : wait;
}

}  // namespace gather::run
