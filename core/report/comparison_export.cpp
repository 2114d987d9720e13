#include "core/report/comparison.hpp"
#include "core/report/json.hpp"
#include "core/report/json_values.hpp"

#include <fmt/format.h>

namespace gather::report {
namespace {

Json pass_object(const job::Job& job, const run::Record& record) {
  Json tasks = Json::array();
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    tasks.push_back({{"id", job.tasks[i].id},
                     {"state", run::name(record.tasks[i].state)},
                     {"duration_ms", in_ms(record.tasks[i].length())}});
  return {{"wall_ms", in_ms(record.wall)}, {"tasks", std::move(tasks)}};
}

Json mean(const std::optional<analyse::Ratio>& ratio) { return ratio ? Json(ratio->mean) : Json(); }

Json speedup_object(const analyse::Comparison& comparison) {
  if (!comparison.speedup) return {};
  const analyse::Ratio& speedup = *comparison.speedup;
  Json object = {{"median", speedup.median},
                 {"min", speedup.least},
                 {"max", speedup.most},
                 {"geometric_mean", speedup.mean}};
  object["interval_95"] =
      comparison.interval ? Json{comparison.interval->low, comparison.interval->high} : Json();
  return object;
}

std::string_view word(analyse::Verdict verdict) {
  switch (verdict) {
    case analyse::Verdict::faster:
      return "faster";
    case analyse::Verdict::slower:
      return "slower";
    case analyse::Verdict::none:
      return "none";
    case analyse::Verdict::incomplete:
      return "incomplete";
  }
  return "";
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + "\"";
}

}  // namespace

std::string comparison_json(const job::Job& job, std::span<const analyse::Pair> pairs,
                            const analyse::Comparison& comparison, std::optional<std::uint64_t> seed) {
  Json list = Json::array();
  for (const analyse::Pair& pair : pairs)
    list.push_back({{"sync", pass_object(job, pair.sync)}, {"async", pass_object(job, pair.async)}});
  const Json document = {
      {"schema", json_schema_version},
      {"job", job.name},
      {"seed", seed ? Json(*seed) : Json()},
      {"limits",
       {{"sync", limits_object(comparison.sync.limits)}, {"async", limits_object(comparison.async.limits)}}},
      {"speedup", speedup_object(comparison)},
      {"naive", mean(comparison.naive)},
      {"contention", mean(comparison.contention)},
      {"sync_factor", mean(comparison.sync_factor)},
      {"bound", {{"ms", in_ms(comparison.bound.length)}, {"by", comparison.bound.by}}},
      {"efficiency", mean(comparison.efficiency)},
      {"verdict", word(comparison.verdict)},
      {"pairs", std::move(list)}};
  return dumped(document, 1) + "\n";
}

std::string comparison_csv(const job::Job& job, std::span<const analyse::Pair> pairs) {
  std::string text = "pair,pass,task,state,duration_ms\r\n";
  const auto rows = [&](std::size_t pair, std::string_view pass, const run::Record& record) {
    for (std::size_t i = 0; i < job.tasks.size(); ++i)
      text += fmt::format("{},{},{},{},{}\r\n", pair, pass, csv_field(job.tasks[i].id),
                          run::name(record.tasks[i].state), to_milliseconds(record.tasks[i].length()));
  };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    rows(i + 1, "sync", pairs[i].sync);
    rows(i + 1, "async", pairs[i].async);
  }
  return text;
}

}  // namespace gather::report
