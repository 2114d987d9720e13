#include "core/report/json.hpp"

#include "core/analyse/waits.hpp"
#include "core/report/json_values.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

namespace gather::report {
namespace {

constexpr std::size_t piece_size = 64 * 1024;

struct OutcomeObject {
  Json operator()(const run::Passed&) const { return {{"kind", "passed"}}; }
  Json operator()(const run::Exited& exited) const { return {{"kind", "exited"}, {"code", exited.code}}; }
  Json operator()(const run::Signalled& signalled) const {
    return {{"kind", "signalled"}, {"signal", signalled.number}, {"core_dumped", signalled.core_dumped}};
  }
  Json operator()(const run::TimedOut& timed_out) const {
    return {{"kind", "timed_out"}, {"limit_ms", in_ms(timed_out.limit)}, {"killed", timed_out.killed}};
  }
  Json operator()(const run::NotStarted& not_started) const {
    return {{"kind", "not_started"}, {"why", not_started.why}};
  }
  Json operator()(const run::UnexpectedStatus& answer) const {
    return {{"kind", "unexpected_status"},
            {"status", answer.status},
            {"detail", answer.detail},
            {"retry_after_ms", in_ms(answer.retry_after)}};
  }
  Json operator()(const run::TransferFailed& failed) const {
    return {{"kind", "transfer_failed"}, {"what", failed.kind}, {"why", failed.why}};
  }
  Json operator()(const run::ChecksumMismatch& mismatch) const {
    return {{"kind", "checksum_mismatch"}, {"expected", mismatch.expected}, {"actual", mismatch.actual}};
  }
  Json operator()(const run::NotAsExpected& answer) const {
    return {{"kind", "not_as_expected"}, {"why", answer.why}};
  }
  Json operator()(const run::LocalFailure& failure) const {
    return {{"kind", "local_failure"}, {"why", failure.why}};
  }
  Json operator()(const run::Stopped& stopped) const {
    return {{"kind", "stopped"}, {"why", stopped.why}, {"killed", stopped.killed}};
  }
};

Json attempt_object(const run::AttemptRecord& attempt) {
  Json outcome = std::visit(OutcomeObject{}, attempt.outcome);
  outcome["text"] = run::describe(attempt.outcome);
  Json object = {{"number", attempt.number},
                 {"start_ms", in_ms(attempt.start)},
                 {"duration_ms", in_ms(attempt.length)},
                 {"outcome", std::move(outcome)}};
  if (attempt.usage) {
    const auto& peak = attempt.usage->peak_memory_bytes;
    object["usage"] = {{"user_ms", in_ms(attempt.usage->user)},
                       {"system_ms", in_ms(attempt.usage->system)},
                       {"peak_memory_bytes", peak ? Json(*peak) : Json()}};
  }
  if (attempt.http_status) {
    object["http_status"] = *attempt.http_status;
    object["body_bytes"] = attempt.bytes_in;
  }
  if (attempt.transfer) {
    const run::Transfer& transfer = *attempt.transfer;
    object["phases"] = {{"dns_ms", in_ms(transfer.dns)},
                        {"connect_ms", in_ms(transfer.connect)},
                        {"tls_ms", in_ms(transfer.tls)},
                        {"first_byte_ms", in_ms(transfer.first_byte)},
                        {"body_ms", in_ms(transfer.body)}};
    if (!transfer.mirror.empty()) object["mirror"] = transfer.mirror;
    object["final_url"] = transfer.final_url;
    object["http_version"] = transfer.http_version.empty() ? Json() : Json(transfer.http_version);
    object["resumed_from"] = transfer.resumed_from;
    if (transfer.unverified_length) object["unverified_length"] = true;
    if (!transfer.saved_as.empty()) object["saved_as"] = transfer.saved_as;
  }
  if (attempt.leaked) object["leaked"] = true;
  return object;
}

Json waits_object(const analyse::Waits& waits) {
  return {{"dependency_ms", in_ms(waits.dependency)},
          {"delay_ms", in_ms(waits.delay)},
          {"slot_ms", in_ms(waits.slot)},
          {"host_ms", in_ms(waits.host)},
          {"rate_ms", in_ms(waits.rate)},
          {"pool_ms", in_ms(waits.pool)},
          {"retry_ms", in_ms(waits.retry)}};
}

Json task_object(const job::Job& job, const run::Record& record, job::TaskId id) {
  const run::TaskRecord& task = record[id];
  Json needs = Json::array();
  for (const job::TaskId need : job[id].needs) needs.push_back(job[need].id);
  Json attempts = Json::array();
  for (const run::AttemptRecord& attempt : task.attempts) attempts.push_back(attempt_object(attempt));
  const auto id_or_null = [&](std::optional<job::TaskId> of) { return of ? Json(job[*of].id) : Json(); };
  return {{"id", job[id].id},
          {"kind", kind_word(job[id].action)},
          {"state", run::name(task.state)},
          {"reason", task.reason.empty() ? Json() : Json(task.reason)},
          {"cause", id_or_null(task.cause)},
          {"needs", std::move(needs)},
          {"released_by", id_or_null(task.released_by)},
          {"ready_ms", in_ms(task.ready_at)},
          {"start_ms", in_ms(task.started_at())},
          {"end_ms", in_ms(task.ended_at)},
          {"duration_ms", task.attempts.empty() ? Json() : Json(in_ms(task.length()))},
          {"slot", task.slot == 0 ? Json() : Json(task.slot)},
          {"waits", waits_object(analyse::waits(record, task))},
          {"attempts", std::move(attempts)}};
}

Json counts_object(const run::Record& record) {
  std::array<std::size_t, run::state_count> counts{};
  for (const run::TaskRecord& task : record.tasks) ++counts[static_cast<std::size_t>(task.state)];
  Json object = {{"tasks", record.tasks.size()}};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto state = static_cast<run::State>(i);
    if (run::is_ending(state) || counts[i] > 0) object[std::string(run::name(state))] = counts[i];
  }
  return object;
}

Json ids(const job::Job& job, std::span<const job::TaskId> tasks) {
  Json array = Json::array();
  for (const job::TaskId id : tasks) array.push_back(job[id].id);
  return array;
}

Json figures_object(const job::Job& job, const analyse::Figures& figures) {
  return {{"wall_ms", in_ms(figures.wall)},
          {"sum_ms", in_ms(figures.sum)},
          {"naive_concurrency", number(figures.naive_concurrency)},
          {"critical_path",
           {{"ms", in_ms(figures.critical.length)}, {"tasks", ids(job, figures.critical.tasks)}}},
          {"bound", {{"ms", in_ms(figures.bound.length)}, {"by", figures.bound.by}}},
          {"efficiency", number(figures.efficiency)},
          {"slowest", ids(job, figures.slowest)}};
}

Json left_running(const run::Record& record) {
  Json list = Json::array();
  for (const run::LeftProcess& left : record.left_running)
    list.push_back({{"task", left.task.empty() ? Json() : Json(left.task)},
                    {"pid", left.pid},
                    {"command", left.command}});
  return list;
}

Json head(const job::Job& job, const run::Record& record, const analyse::Figures& figures,
          std::string_view version) {
  const auto began = std::chrono::floor<std::chrono::milliseconds>(record.began);
  const auto second = std::chrono::floor<std::chrono::seconds>(began);  // fmt 9 drops what is below it.
  return {{"schema", json_schema_version},
          {"gather", version},
          {"job", {{"name", job.name}, {"directory", job.directory.string()}}},
          {"run",
           {{"id", record.run_id},
            {"began", fmt::format("{:%FT%T}.{:03}Z", second, (began - second).count())},
            {"stopped", record.stopped ? Json(*record.stopped) : Json()},
            {"left_running", left_running(record)}}},
          {"limits", limits_object(record.limits)},
          {"counts", counts_object(record)},
          {"figures", figures_object(job, figures)},
          {"loop_lag",
           {{"p50_ms", in_ms(record.lag.p50)},
            {"p99_ms", in_ms(record.lag.p99)},
            {"max_ms", in_ms(record.lag.most)}}},
          {"exit", static_cast<int>(record.exit)}};
}

}  // namespace

void write_json(const job::Job& job, const run::Record& record, const analyse::Figures& figures,
                std::string_view version, const std::function<void(std::string_view)>& sink) {
  std::string piece = dumped(head(job, record, figures, version), 2);
  piece.erase(piece.rfind("\n}"));  // The tasks come inside.
  piece += ",\n  \"tasks\": [";
  for (std::size_t i = 0; i < job.tasks.size(); ++i) {
    piece += i == 0 ? "\n    " : ",\n    ";
    piece += dumped(task_object(job, record, job::TaskId(i)));
    if (piece.size() < piece_size) continue;
    sink(piece);
    piece.clear();
  }
  piece += "\n  ]\n}\n";
  sink(piece);
}

std::string to_json(const job::Job& job, const run::Record& record, const analyse::Figures& figures,
                    std::string_view version) {
  std::string text;
  write_json(job, record, figures, version, [&](std::string_view piece) { text += piece; });
  return text;
}

}  // namespace gather::report
