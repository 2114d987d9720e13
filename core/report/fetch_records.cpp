#include "core/report/fetch_records.hpp"

#include "core/report/json_values.hpp"

namespace gather::report {
namespace {

struct KindOfFailure {
  std::string operator()(const run::UnexpectedStatus&) const { return "http"; }
  std::string operator()(const run::TransferFailed& failed) const { return failed.kind; }
  std::string operator()(const run::ChecksumMismatch&) const { return "checksum"; }
  std::string operator()(const run::NotAsExpected&) const { return "expect"; }
  std::string operator()(const run::LocalFailure&) const { return "local-io"; }
  std::string operator()(const run::TimedOut&) const { return "timeout"; }
  std::string operator()(const run::Stopped&) const { return "cancelled"; }
  std::string operator()(const auto&) const { return "other"; }
};

Json kind_of_failure(const run::TaskRecord& task) {
  if (run::is_success(task.state)) return {};
  if (task.attempts.empty() || task.state == run::State::cancelled) return "cancelled";
  return std::visit(KindOfFailure{}, task.attempts.back().outcome);
}

Json record_object(const job::Task& spec, const run::TaskRecord& task, const std::filesystem::path& folder) {
  const job::Fetch& fetch = *std::get<std::unique_ptr<const job::Fetch>>(spec.action);
  const run::AttemptRecord* last = task.attempts.empty() ? nullptr : &task.attempts.back();
  const auto started = task.started_at();
  const run::Transfer* transfer = last == nullptr ? nullptr : last->transfer.get();
  const auto phase = [&](Duration run::Transfer::* which) {
    return transfer == nullptr ? Json() : Json(in_ms(transfer->*which));
  };
  const auto output = [&]() -> Json {
    if (fetch.output) return (folder / *fetch.output).lexically_normal().string();
    return transfer == nullptr || transfer->saved_as.empty() ? Json() : Json(transfer->saved_as);
  };
  return {{"url", fetch.url},
          {"mirror", transfer == nullptr || transfer->mirror.empty() ? Json() : Json(transfer->mirror)},
          {"final_url", transfer == nullptr ? Json() : Json(transfer->final_url)},
          {"output", output()},
          {"ok", run::is_success(task.state)},
          {"state", run::name(task.state)},
          {"kind", kind_of_failure(task)},
          {"status", last != nullptr && last->http_status ? Json(*last->http_status) : Json()},
          {"http_version",
           transfer == nullptr || transfer->http_version.empty() ? Json() : Json(transfer->http_version)},
          {"resumed_from", transfer == nullptr ? 0 : transfer->resumed_from},
          {"unverified_length", transfer != nullptr && transfer->unverified_length},
          {"bytes", last != nullptr ? last->bytes_in : 0},
          {"sha256", last != nullptr && !last->sha256.empty() ? Json(last->sha256) : Json()},
          {"attempts", task.attempts.size()},
          {"queue_ms", in_ms(started)},
          {"dns_ms", phase(&run::Transfer::dns)},
          {"connect_ms", phase(&run::Transfer::connect)},
          {"tls_ms", phase(&run::Transfer::tls)},
          {"ttfb_ms", phase(&run::Transfer::first_byte)},
          {"body_ms", phase(&run::Transfer::body)},
          {"total_ms", started && task.ended_at ? Json(in_ms(*task.ended_at - *started)) : Json()},
          {"message", task.reason.empty() ? Json() : Json(task.reason)}};
}

}  // namespace

void write_fetch_records(const job::Job& job, const run::Record& record,
                         const std::function<void(std::string_view)>& sink) {
  for (std::size_t i = 0; i < record.tasks.size(); ++i)
    sink(dumped(record_object(job.tasks[i], record.tasks[i], job.directory)) + "\n");
}

}  // namespace gather::report
