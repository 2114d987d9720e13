#include "core/report/json_values.hpp"

#include <array>

namespace gather::report {

double in_ms(Duration length) { return to_milliseconds(length); }

Json in_ms(std::optional<Duration> length) { return length ? Json(in_ms(*length)) : Json(); }

Json number(std::optional<double> value) { return value ? Json(*value) : Json(); }

std::string_view kind_word(const job::Action& action) {
  // In the order of the variant.
  constexpr std::array<std::string_view, std::variant_size_v<job::Action>> words{"milestone", "sleep", "run",
                                                                                 "shell", "fetch"};
  return words[action.index()];
}

Json limits_object(const run::LimitsInForce& limits) {
  Json object = {{"jobs", limits.jobs}, {"processes", limits.processes}, {"fetches", limits.fetches}};
  for (const job::Pool& pool : limits.pools) object["pools"][pool.name] = pool.size;
  if (limits.hosts.empty()) return object;
  Json& hosts = object["hosts"] = Json::object();
  for (const job::HostLimit& limit : limits.hosts) {
    hosts[job::spell(limit.pattern)] = {{"max", limit.max}};
    if (limit.rate) hosts[job::spell(limit.pattern)]["rate"] = job::spell(*limit.rate);
  }
  return object;
}

std::string dumped(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gather::report
