#include "core/run/host_manners.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::run {
namespace {

constexpr std::size_t usual_retries = 100;
constexpr std::size_t passes_for_a_place = 10;

}  // namespace

HostManners::HostManners(const job::Job& job, const Hosts& hosts, const Claims& claims, Admission& admission)
    : hosts_(hosts), claims_(claims), admission_(admission) {
  states_.reserve(hosts.all().size());
  if (hosts.all().empty()) return;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) learn(job::TaskId(i), job.tasks[i]);
}

void HostManners::learn(job::TaskId id, const job::Task& task) {
  for (const Hosts::Limited& host : hosts_.all().subspan(states_.size()))
    states_.push_back({.max = host.max, .places = host.max, .retries = usual_retries});
  const HostId host = hosts_.of(id);
  if (host == no_host) return;
  std::size_t& retries = states_[index(host)].retries;
  retries = std::max(retries, static_cast<std::size_t>(task.retry->attempts));
}

bool HostManners::attempt_ended(HostId host, const Outcome& outcome, Duration now) {
  if (host == no_host) return false;
  State& state = states_[index(host)];
  if (passed(outcome)) {
    ++state.retries;
    if (state.places < state.max && ++state.passes == passes_for_a_place) {
      state.passes = 0;
      admission_.resize(claims_.at(host), 1, now);
      ++state.places;
    }
    return false;
  }
  const auto* const answer = std::get_if<UnexpectedStatus>(&outcome);
  if (answer == nullptr || !answer->retry_after || (answer->status != 429 && answer->status != 503))
    return false;
  const bool was_open = !rest_of(host, now);
  const Duration until = now + *answer->retry_after;
  if (*answer->retry_after > longest_retry_after) {
    if (until > state.refused_until) state.asked_for = *answer->retry_after;
    state.refused_until = std::max(state.refused_until, until);
    return was_open;
  }
  // The others that it was asked at the same time say the same: one lesson, not six.
  if (state.closed_until <= now) {
    const std::size_t half = std::max<std::size_t>(1, state.places / 2);
    admission_.resize(claims_.at(host), -static_cast<std::int64_t>(state.places - half), now);
    state.places = half;
    state.passes = 0;
  }
  state.closed_until = std::max(state.closed_until, until);
  admission_.close_until(claims_.at(host), until, now);
  return was_open && until > now;
}

bool HostManners::take_retry(HostId host) {
  if (host == no_host) return true;
  std::size_t& left = states_[index(host)].retries;
  if (left == 0) return false;
  --left;
  return true;
}

std::optional<Outcome> HostManners::refusal(HostId host, Duration now) {
  if (host == no_host) return std::nullopt;
  const State& state = states_[index(host)];
  if (now >= state.refused_until) return std::nullopt;
  admission_.unpace(claims_.at(host), now);
  return TransferFailed{
      std::string(host_closed),
      fmt::format("{} asked for {} of rest (Retry-After), and gather waits for {} at most: not asked",
                  job::spell(hosts_.all()[index(host)].host), show(state.asked_for),
                  show(longest_retry_after)),
      false};
}

std::optional<Duration> HostManners::rest_of(HostId host, Duration now) const {
  const State& state = states_[index(host)];
  const Duration until = std::max(state.closed_until, state.refused_until);
  return until > now ? std::optional(until - now) : std::nullopt;
}

}  // namespace gather::run
