#include "core/run/mirrors.hpp"

#include "core/base/quote.hpp"
#include "core/job/hosts.hpp"
#include "core/run/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace gather::run {
namespace {

std::string host_in(const std::string& url) { return job::spell(job::host_of(url)); }

std::string in_words(const MirrorFailed& mirror) {
  const std::string host = inert(host_in(mirror.url));
  if (mirror.rests) return fmt::format("{}: asked to be left alone for {}", host, show(*mirror.rests));
  return fmt::format("{}: {}", host, describe(mirror.outcome));
}

/// Puts `more` behind the sentence of an outcome that has one.
struct AddTo {
  const std::string& more;

  void operator()(UnexpectedStatus& answer) const {
    answer.detail += (answer.detail.empty() ? "" : "; ") + more;
  }
  void operator()(TransferFailed& failed) const { failed.why += "; " + more; }
  void operator()(NotAsExpected& answer) const { answer.why += "; " + more; }
  void operator()(auto&) const {}
};

}  // namespace

bool mirror_may_mend(const Outcome& outcome) {
  return !passed(outcome) && !std::holds_alternative<LocalFailure>(outcome) &&
         !std::holds_alternative<TimedOut>(outcome) && !std::holds_alternative<Stopped>(outcome);
}

Outcome without_a_mirror(std::span<const MirrorFailed> failed, const job::RetryPolicy& policy) {
  // The mirror's own wish for rest says nothing about when the others may be asked.
  std::optional<Duration> first_opening = longest_duration;
  const auto retry_after = [](const MirrorFailed& mirror) {
    const auto* const answer = std::get_if<UnexpectedStatus>(&mirror.outcome);
    return mirror.rests ? mirror.rests : answer == nullptr ? std::nullopt : answer->retry_after;
  };
  for (const MirrorFailed& mirror : failed) {
    const auto rest = retry_after(mirror);
    first_opening = first_opening && rest ? std::optional(std::min(*first_opening, *rest)) : std::nullopt;
  }
  const auto settled = [&](const MirrorFailed& mirror) {
    Outcome outcome = mirror.outcome;
    if (auto* const answer = std::get_if<UnexpectedStatus>(&outcome)) answer->retry_after = first_opening;
    return outcome;
  };
  const auto* chosen = &failed.front();
  for (const MirrorFailed& mirror : failed)
    if (is_retryable(settled(mirror), policy)) {
      chosen = &mirror;
      break;
    }
  Outcome outcome = settled(*chosen);
  std::string others;
  for (const MirrorFailed& mirror : failed)
    if (&mirror != chosen) others += (others.empty() ? "" : "; ") + in_words(mirror);
  if (!others.empty()) std::visit(AddTo{"other mirrors: " + others}, outcome);
  return outcome;
}

const job::Fetch& MirrorRounds::fetch_of(job::TaskId task) const {
  return *std::get<std::unique_ptr<const job::Fetch>>(tasks_(task).action);
}

void MirrorRounds::begin(job::TaskId task, Duration now) {
  if (hosts_.mirrors(task).empty()) return;
  rounds_.try_emplace(task);
  turn_or_wait(task, now);
}

bool MirrorRounds::turn_or_wait(job::TaskId task, Duration now) {
  Round& round = rounds_.at(task);
  const std::size_t before = round.mirror;
  if (!turn(task, now)) {
    const std::span<const HostId> hosts = hosts_.mirrors(task);
    std::optional<Duration> soonest;
    for (std::size_t n = 0; n < hosts.size(); ++n) {
      const Duration rest = manners_.rest_of(hosts[n], now).value_or(Duration(0));
      if (round.failed.contains(n) || (soonest && *soonest <= rest)) continue;
      soonest = rest;
      round.mirror = n;
    }
  }
  return round.mirror != before;
}

MirrorRounds::Round* MirrorRounds::of(job::TaskId task) {
  const auto round = rounds_.find(task);
  return round == rounds_.end() ? nullptr : &round->second;
}

bool MirrorRounds::turn(job::TaskId task, Duration now) {
  Round& round = rounds_.at(task);
  const std::span<const HostId> hosts = hosts_.mirrors(task);
  for (std::size_t n = 0; n < hosts.size(); ++n) {
    if (round.failed.contains(n) || manners_.rest_of(hosts[n], now)) continue;
    round.mirror = n;
    return true;
  }
  return false;
}

void MirrorRounds::failed(job::TaskId task, const Outcome& outcome, Duration now) {
  Round& round = rounds_.at(task);
  MirrorFailed failed{fetch_of(task).nth_url(round.mirror), outcome};
  // It was let in and not asked: as one that was passed over.
  const auto* const closed = std::get_if<TransferFailed>(&outcome);
  if (closed != nullptr && closed->kind == host_closed)
    if (const auto rest = manners_.rest_of(hosts_.mirrors(task)[round.mirror], now)) {
      failed.outcome = UnexpectedStatus{.status = 503, .detail = "", .retry_after = rest};
      failed.rests = rest;
    }
  round.failed.insert_or_assign(round.mirror, std::move(failed));
}

Outcome MirrorRounds::outcome(job::TaskId task, Duration now) const {
  const Round& round = rounds_.at(task);
  const std::span<const HostId> hosts = hosts_.mirrors(task);
  std::vector<MirrorFailed> all;
  for (std::size_t n = 0; n < hosts.size(); ++n) {
    if (const auto failed = round.failed.find(n); failed != round.failed.end())
      all.push_back(failed->second);
    else if (const auto rest = manners_.rest_of(hosts[n], now))
      all.push_back({fetch_of(task).nth_url(n),
                     UnexpectedStatus{.status = 503, .detail = "", .retry_after = rest}, rest});
  }
  return without_a_mirror(all, *tasks_(task).retry);
}

}  // namespace gather::run
