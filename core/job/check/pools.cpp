/// Reads `limits.pools`, and what each task takes of them.
#include "core/job/check/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace gather::job {
namespace {

constexpr int most_units = 1'000'000'000;
constexpr std::string_view example = "as in `pools: {database: 2}`";

class Shares {
 public:
  Shares(Reader& reader, Job& job) : reader_(reader), job_(job) {}

  void fill_in(Task& task, const TaskPlace& place) {
    if (!place.pool) return;
    if (place.pool.is_map()) {
      for (const Member member : Members(place.pool))
        if (const auto units = reader_.whole(member.value, 1, most_units))
          add(task, member.key, place.pool_is_default ? place.key : member.value, *units);
      return;
    }
    const bool own_weight = place.weight && !place.weight_is_default;
    for (const Value item : reader_.one_or_more(place.pool, "the name of a pool or a list of them"))
      add(task, item, own_weight ? place.weight : place.pool_is_default ? place.key : item, task.weight);
  }

 private:
  /// `too_many_at` is where too many units are told: of what `defaults` say, at the task that takes them. A
  /// wrong name is told once, where it stands.
  void add(Task& task, Value at, Value too_many_at, int units) {
    if (wrong_.contains(at.extent().begin)) return;
    const auto name = reader_.scalar(at, "the name of a pool");
    const std::vector<Pool>& pools = job_.limits.pools;
    const auto pool = name ? std::ranges::find(pools, *name, &Pool::name) : pools.end();
    if (pool == pools.end()) {
      wrong_.insert(at.extent().begin);
      if (name) unknown(at, *name);
      return;
    }
    const auto id = PoolId(static_cast<std::uint32_t>(pool - pools.begin()));
    if (std::ranges::find(task.pools, id, &PoolShare::pool) != task.pools.end()) {
      wrong_.insert(at.extent().begin);
      return reader_.error(at, fmt::format("{} is listed twice", code(*name)), "remove one of them");
    }
    const auto wanted = static_cast<std::size_t>(units);
    if (wanted > pool->size)
      reader_.error(too_many_at,
                    fmt::format("task {} would take {} of pool {}, which has {}", code(task.id), wanted,
                                code(*name), pool->size),
                    "it could never start: take less, or give the pool more under `limits`");
    task.pools.push_back({id, wanted});
  }

  void unknown(Value at, std::string_view name) {
    std::vector<std::string_view> names;
    for (const Pool& pool : job_.limits.pools) names.push_back(pool.name);
    std::string hint = did_you_mean(name, names);
    if (hint.empty() && names.empty())
      hint = fmt::format("pools are named under `limits`, as in `limits: {{pools: {{{}: 2}}}}`", name);
    else if (hint.empty())
      hint = "one of " + listed(names);
    reader_.error(at, fmt::format("there is no pool {}", code(name)), std::move(hint));
  }

  Reader& reader_;
  Job& job_;
  std::set<std::size_t> wrong_;  ///< Where something has been found already.
};

}  // namespace

void read_pools(Reader& reader, Value map, std::vector<Pool>& pools) {
  if (!reader.is_map(map, example)) return;
  for (const Member member : Members(map)) {
    const std::string_view name = member.key.text();
    if (name.empty() || name.contains('=') || name.contains('\0')) {
      reader.error(member.key, fmt::format("{} is no name for a pool", code(name)),
                   "a name is not empty and holds no `=`");
      continue;
    }
    if (!reader.has_value(member, example)) continue;
    // A size that is wrong is told; the name is known all the same.
    const int size = reader.whole(member.value, 1, most_units).value_or(most_units);
    pools.push_back({std::string(name), static_cast<std::size_t>(size)});
  }
}

void check_pools(Reader& reader, std::span<const TaskPlace> places, Job& job) {
  Shares shares(reader, job);
  for (std::size_t i = 0; i < places.size(); ++i) shares.fill_in(job.tasks[i], places[i]);
  for (Task& task : job.tasks) std::ranges::sort(task.pools, {}, &PoolShare::pool);
}

}  // namespace gather::job
