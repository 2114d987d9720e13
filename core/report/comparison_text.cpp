#include "core/base/quote.hpp"
#include "core/report/comparison.hpp"
#include "core/report/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gather::report {
namespace {

constexpr Duration large_lag = std::chrono::milliseconds(5);

std::string range(const analyse::Lengths& lengths, std::size_t pairs) {
  if (pairs < 2) return "";
  return fmt::format("({} to {})", show(lengths.least), show(lengths.most));
}

std::string side_row(std::string_view label, const analyse::Side& side,
                     const analyse::Comparison& comparison) {
  return fmt::format("  {:<5}  {:>7}  {:<22}  {}/{} passed  {}\n", label, show(side.wall.median),
                     range(side.wall, comparison.pairs), side.passed, comparison.tasks,
                     side.limits.jobs == 1 ? "one at a time" : in_words(side.limits));
}

std::string speedup_row(const analyse::Comparison& comparison) {
  if (!comparison.speedup) return "  no speed-up can be computed: a pass took no time\n";
  const analyse::Ratio& speedup = *comparison.speedup;
  std::string text = fmt::format("  measured speed-up {}", times(speedup.mean));
  if (comparison.interval)
    text +=
        fmt::format("   (95 %: {} to {})", times(comparison.interval->low), times(comparison.interval->high));
  else if (comparison.pairs > 1)
    text += fmt::format("   ({} to {})", times(speedup.least), times(speedup.most));
  return text + "\n";
}

std::string contention_rows(const job::Job& job, const analyse::Comparison& comparison) {
  if (!comparison.naive || !comparison.contention || !comparison.sync_factor || !comparison.speedup)
    return "";
  std::string text = fmt::format("  naive {} / contention {}", times(comparison.naive->mean),
                                 times(comparison.contention->mean));
  if (comparison.kinds.size() > 1) {
    std::string kinds;
    for (const analyse::KindContention& each : comparison.kinds)
      kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", plural(each.kind), times(each.ratio));
    text += fmt::format("   ({})", kinds);
  }
  text += "\n";
  std::string slowed;
  for (const analyse::Slowed& each : comparison.slowed)
    slowed += fmt::format("{}{} {}", slowed.empty() ? "" : ", ", inert(job[each.task].id), times(each.ratio));
  if (!slowed.empty()) text += fmt::format("  most slowed: {}\n", slowed);
  text += fmt::format(
      "  identity: speed-up {:.3f} = naive {:.3f} / contention {:.3f} × sync wall per task time {:.3f}\n",
      comparison.speedup->mean, comparison.naive->mean, comparison.contention->mean,
      comparison.sync_factor->mean);
  return text;
}

std::string bound_row(const analyse::Comparison& comparison) {
  if (!comparison.efficiency) return "";
  const analyse::Ratio& efficiency = *comparison.efficiency;
  const auto percent = [](double part) { return static_cast<int>(std::floor(part * 100 + 1e-9)); };
  std::string text =
      fmt::format("  bound {} from {}; async reached {} % of the possible", show(comparison.bound.length),
                  comparison.bound.by, percent(efficiency.mean));
  if (percent(efficiency.least) < percent(efficiency.most))
    text += fmt::format(" ({} to {} %)", percent(efficiency.least), percent(efficiency.most));
  return text + "\n";
}

std::string verdict_text(const analyse::Comparison& comparison) {
  const std::string pairs =
      comparison.pairs == 1 ? "in the one pair" : fmt::format("in all {} pairs", comparison.pairs);
  const bool sure = comparison.interval.has_value();
  const std::string more = sure ? "" : "; an interval needs --runs 6";
  switch (comparison.verdict) {
    case analyse::Verdict::faster:
    case analyse::Verdict::slower: {
      const std::string_view which = comparison.verdict == analyse::Verdict::faster ? "faster" : "slower";
      return sure ? fmt::format("concurrent is {}: the 95 % interval leaves 1 out", which)
                  : fmt::format("concurrent was {} {}{}", which, pairs, more);
    }
    case analyse::Verdict::incomplete:
      return "no verdict: not every task passed in every pass, so the passes did different work";
    case analyse::Verdict::none:
      break;
  }
  if (!comparison.speedup) return "no verdict: there is nothing to divide by";
  if (sure) return "no verdict: the 95 % interval holds 1";
  return fmt::format("no verdict: concurrent was faster in {} of {}{}", comparison.faster_pairs,
                     count_of(comparison.pairs, "pair"), more);
}

}  // namespace

std::string comparison_text(const job::Job& job, const analyse::Comparison& comparison,
                            std::optional<std::uint64_t> seed) {
  std::string text =
      fmt::format("compare {}   {}{}{}\n", inert(job.name), count_of(comparison.pairs, "pair"),
                  comparison.pairs > 1 ? ", interleaved" : "", seed ? fmt::format(", seed {}", *seed) : "");
  text += side_row("sync", comparison.sync, comparison);
  text += side_row("async", comparison.async, comparison);
  text += speedup_row(comparison);
  text += contention_rows(job, comparison);
  text += bound_row(comparison);
  if (comparison.lag_p99 > large_lag)
    text += fmt::format("  loop lag up to {} at p99: times can be too long by as much\n",
                        show(comparison.lag_p99));
  text += fmt::format("  {}\n", verdict_text(comparison));
  return text;
}

}  // namespace gather::report
