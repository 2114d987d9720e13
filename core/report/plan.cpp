#include "core/report/plan.hpp"

#include "core/analyse/bound.hpp"
#include "core/base/quote.hpp"
#include "core/job/graph.hpp"
#include "core/report/columns.hpp"
#include "core/report/words.hpp"
#include "core/run/hosts.hpp"
#include "core/run/kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <tuple>
#include <vector>

namespace gather::report {
namespace {

constexpr std::size_t rows_at_first = 100;
constexpr std::size_t widest_id = 32;
constexpr std::size_t widest_action = 44;
constexpr std::size_t widest_needs = 40;
constexpr std::size_t most_hosts = 8;

/// As one slot would take them: by priority, key and file order, each after its needs.
std::vector<job::TaskId> admission_order(const job::Job& job, std::span<const std::int64_t> keys) {
  using Key = std::tuple<int, std::int64_t, std::int64_t>;  // The largest comes first.
  const auto key = [&](job::TaskId id) {
    return Key(job[id].priority, keys[job::index(id)], -static_cast<std::int64_t>(job::index(id)));
  };
  std::priority_queue<Key> ready;
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    missing.push_back(job.tasks[i].needs.size());
    if (missing.back() == 0) ready.push(key(job::TaskId(i)));
  }
  const job::Dependants dependants(job);
  std::vector<job::TaskId> order;
  while (!ready.empty()) {
    const job::TaskId id{static_cast<std::uint32_t>(-std::get<2>(ready.top()))};
    ready.pop();
    order.push_back(id);
    for (const job::TaskId dependant : dependants.of(id))
      if (--missing[job::index(dependant)] == 0) ready.push(key(dependant));
  }
  return order;
}

std::string needs_text(const job::Job& job, const job::Task& task) {
  std::string text;
  for (const job::TaskId need : task.needs) {
    text += (text.empty() ? "" : ", ") + inert(job[need].id);
    if (text.size() > widest_needs) break;  // Cut anyway; a fan-in of 10,000 need not be spelt out.
  }
  return cut(text.empty() ? "-" : text, widest_needs);
}

struct Row {
  std::string number, id, action, needs, expected, rank;
};

std::string rendered(std::span<const Row> rows) {
  const auto widest = [&](std::string Row::* column) {
    std::size_t columns = 0;
    for (const Row& row : rows) columns = std::max(columns, width(row.*column));
    return columns;
  };
  const std::size_t number = widest(&Row::number), id = widest(&Row::id), action = widest(&Row::action),
                    needs = widest(&Row::needs), expected = widest(&Row::expected), rank = widest(&Row::rank);
  std::string text;
  for (const Row& row : rows)
    text += fmt::format("{}  {}  {}  {}  {}  {}\n", right_aligned(row.number, number), padded(row.id, id),
                        padded(row.action, action), padded(row.needs, needs),
                        right_aligned(row.expected, expected), right_aligned(row.rank, rank));
  return text;
}

/// The hosts whose limits make a difference: a line each.
std::string hosts_text(const job::Job& job, const run::LimitsInForce& limits) {
  const run::Hosts hosts(job, limits.hosts);
  std::vector<std::size_t> tasks(hosts.all().size());
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    if (const run::HostId host = hosts.of(job::TaskId(i)); host != run::no_host) ++tasks[run::index(host)];
  std::string text;
  std::size_t shown = 0;
  std::size_t left = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const run::Hosts::Limited& host = hosts.all()[i];
    if (tasks[i] <= host.max && (!host.rate || tasks[i] < 2)) continue;
    if (shown == most_hosts) {
      ++left;
      continue;
    }
    ++shown;
    text +=
        fmt::format("host {}   {}, {} at once{}\n", inert(job::spell(host.host)), count_of(tasks[i], "task"),
                    host.max, host.rate ? ", " + job::spell(*host.rate) : std::string());
  }
  if (left > 0) text += fmt::format("and {}\n", count_of(left, "more host"));
  return text;
}

/// The pools that somebody may have to wait for: a line each.
std::string pools_text(const job::Job& job, const run::LimitsInForce& limits) {
  struct Use {
    std::size_t tasks = 0;
    std::size_t units = 0;
  };
  std::vector<Use> uses(limits.pools.size());
  for (const job::Task& task : job.tasks)
    for (const job::PoolShare& share : task.pools) {
      ++uses[job::index(share.pool)].tasks;
      uses[job::index(share.pool)].units += share.units;
    }
  std::string text;
  for (std::size_t i = 0; i < uses.size(); ++i)
    if (uses[i].units > limits.pools[i].size)
      text += fmt::format("pool {}   {}, {} at once\n", inert(limits.pools[i].name),
                          count_of(uses[i].tasks, "task"), count_of(limits.pools[i].size, "unit"));
  return text;
}

}  // namespace

std::string plan_text(const job::Job& job, const run::Durations& durations, const run::Order& wanted,
                      const run::LimitsInForce& limits, PlanRows which) {
  const std::vector<Duration> expected = run::expected_durations(job, durations);
  const std::vector<Duration> ranks = run::ranks(job, expected);
  std::vector<Duration> known(expected.size());
  std::vector<bool> guessed(expected.size());
  std::size_t guesses = 0;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (run::kind_of(job.tasks[i].action) == run::Kind::none) continue;
    const auto length = durations.known(job.tasks[i]);
    known[i] = length.value_or(Duration(0));
    guessed[i] = !length;
    if (guessed[i]) ++guesses;
  }

  const std::vector<job::TaskId> order = admission_order(job, run::order_keys(job, wanted, durations));
  const std::size_t shown = which == PlanRows::all ? order.size() : std::min(order.size(), rows_at_first);
  std::vector<Row> rows{{"", "task", "action", "needs", "expected", "path ahead"}};
  for (std::size_t i = 0; i < shown; ++i) {
    const job::TaskId id = order[i];
    const std::size_t at = job::index(id);
    rows.push_back({fmt::format("{}", i + 1), cut(inert(job[id].id), widest_id),
                    cut(in_words(job[id].action), widest_action), needs_text(job, job[id]),
                    (guessed[at] ? "~" : "") + show(expected[at]), show(ranks[at])});
  }
  std::string text = rendered(rows);
  if (shown < order.size())
    text += fmt::format("and {}; -v lists them all\n", count_of(order.size() - shown, "more task"));

  const analyse::PlanBounds bounds = analyse::plan_bounds(job, known, limits);
  text +=
      fmt::format("\n{}   {}, {}\n", inert(job.name), count_of(job.tasks.size(), "task"), in_words(limits));
  text += pools_text(job, limits);
  text += hosts_text(job, limits);
  text += fmt::format("sum of task times  {:>7}\n", show(bounds.sum));
  if (!bounds.critical.tasks.empty())
    text += fmt::format("critical path      {:>7}   {}\n", show(bounds.critical.length),
                        chain_of(job, bounds.critical.tasks));
  text += fmt::format("lower bound        {:>7}   from {}\n", show(bounds.bound.length), bounds.bound.by);
  if (guesses > 0)
    text += fmt::format(
        "~ is a guess: the length of {} is not known, and these figures count it as 0; `estimate` states "
        "it\n",
        count_of(guesses, "task"));
  return text;
}

}  // namespace gather::report
