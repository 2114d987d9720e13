/// Whether a failed attempt is repeated, and how long it waits before.
#pragma once

#include "core/job/model.hpp"
#include "core/run/outcome.hpp"

#include <optional>
#include <random>

namespace gather::run {

/// Chance, as the run sees it; tests and `--shuffle=SEED` seed it.
using Random = std::mt19937_64;

/// Draws the wait before retry `retry` (1 is the first), evenly from the upper half of
/// [0, min(policy.max_delay, policy.delay * 2^(retry - 1))], in whole milliseconds.
///
/// Spreading keeps tasks that failed together from retrying together; half of the wait is certain, so that a
/// server gets its rest. Without jitter it is the upper end, exactly; a fixed back-off does not double.
/// Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (equal jitter).
///
/// Requires: retry >= 1. Never fails.
Duration backoff(int retry, const job::RetryPolicy& policy, Random& random);

/// Whether it is one of those failures after which the policy has it tried again.
bool is_retryable(const Outcome& outcome, const job::RetryPolicy& policy);

/// How long to wait before the attempt after number `attempt`, which ended with `outcome`; nothing if there
/// is to be none. With a Retry-After it is the larger of that and the back-off, never less than the server
/// asked for.
std::optional<Duration> wait_before_retry(const Outcome& outcome, int attempt, const job::RetryPolicy& policy,
                                          Random& random);

}  // namespace gather::run
