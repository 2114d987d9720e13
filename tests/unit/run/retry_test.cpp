#include "core/run/retry.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::run;
using gather::job::Backoff;
using gather::job::FailureKind;
using gather::job::RetryPolicy;

namespace {

RetryPolicy policy_of(int attempts) {
  RetryPolicy policy;
  policy.attempts = attempts;
  policy.delay = 100ms;
  policy.max_delay = 1s;
  policy.jitter = false;
  return policy;
}

std::optional<gather::Duration> wait(const Outcome& outcome, int attempt, const RetryPolicy& policy) {
  Random random(1);
  return wait_before_retry(outcome, attempt, policy, random);
}

}  // namespace

TEST_CASE("the back-off doubles up to its limit, exactly without jitter", "[run][retry]") {
  const RetryPolicy policy = policy_of(100);
  CHECK(wait(Exited{1}, 1, policy) == 100ms);
  CHECK(wait(Exited{1}, 2, policy) == 200ms);
  CHECK(wait(Exited{1}, 4, policy) == 800ms);
  CHECK(wait(Exited{1}, 5, policy) == 1s);
  CHECK(wait(Exited{1}, 99, policy) == 1s);
}

TEST_CASE("a fixed back-off stays the same", "[run][retry]") {
  RetryPolicy policy = policy_of(10);
  policy.backoff = Backoff::fixed;
  CHECK(wait(Exited{1}, 7, policy) == 100ms);
}

TEST_CASE("jitter draws from the upper half, in whole milliseconds", "[run][retry]") {
  RetryPolicy policy = policy_of(10);
  policy.jitter = true;
  Random random(42);
  for (int i = 0; i < 1000; ++i) {
    const auto drawn = backoff(2, policy, random);
    REQUIRE(drawn >= 100ms);
    REQUIRE(drawn <= 200ms);
    REQUIRE(drawn % 1ms == 0ns);
  }
}

TEST_CASE("tries are counted in total", "[run][retry]") {
  CHECK_FALSE(wait(Exited{1}, 1, policy_of(1)));
  CHECK(wait(Exited{1}, 1, policy_of(2)));
  CHECK_FALSE(wait(Exited{1}, 2, policy_of(2)));
}

TEST_CASE("only what the policy names is repeated", "[run][retry]") {
  RetryPolicy policy = policy_of(2);
  policy.on = {FailureKind::timeout};
  CHECK(wait(TimedOut{1s}, 1, policy));
  CHECK_FALSE(wait(Exited{1}, 1, policy));
  policy.on = {FailureKind::exit};
  policy.exit_codes = {75};
  CHECK(wait(Exited{75}, 1, policy));
  CHECK_FALSE(wait(Exited{1}, 1, policy));
}

TEST_CASE("passes, stops and local failures are never repeated", "[run][retry]") {
  const Outcome outcome =
      GENERATE(Outcome{Passed{}}, Outcome{Stopped{"interrupted"}}, Outcome{LocalFailure{"disk full"}});
  CHECK_FALSE(wait(outcome, 1, policy_of(5)));
}

TEST_CASE("of HTTP statuses those are repeated that may pass", "[run][retry]") {
  CHECK(wait(UnexpectedStatus{503, "", {}}, 1, policy_of(2)));
  CHECK(wait(UnexpectedStatus{429, "", {}}, 1, policy_of(2)));
  CHECK_FALSE(wait(UnexpectedStatus{404, "", {}}, 1, policy_of(2)));
  CHECK_FALSE(wait(UnexpectedStatus{501, "", {}}, 1, policy_of(2)));
  RetryPolicy policy = policy_of(2);
  policy.status = {404};
  CHECK(wait(UnexpectedStatus{404, "", {}}, 1, policy));
  CHECK_FALSE(wait(UnexpectedStatus{503, "", {}}, 1, policy));
}

TEST_CASE("Retry-After is the least that is waited, and too much of it fails at once", "[run][retry]") {
  CHECK(wait(UnexpectedStatus{503, "", 3s}, 1, policy_of(2)) == 3s);
  CHECK(wait(UnexpectedStatus{503, "", 1ms}, 1, policy_of(2)) == 100ms);
  CHECK_FALSE(wait(UnexpectedStatus{503, "", 121s}, 1, policy_of(2)));
}
