#include "core/run/fetch_executor.hpp"

#include "core/async/io/files.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/thread/to_thread.hpp"
#include "core/base/quote.hpp"
#include "core/job/fetch_job.hpp"
#include "core/net/disposition.hpp"
#include "core/net/part_note.hpp"
#include "core/run/fetch_download.hpp"
#include "core/run/spooled_output.hpp"
#include "core/run/task_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace gather::run {
namespace {

/// Why `output` may not be written: a link on its way leads out of `directory`. (A link as its last name is
/// never followed.) Nothing if that can't be told: creating the file says why.
std::optional<std::string> leads_out(const std::filesystem::path& directory, std::string_view output) {
  if (!output.contains('/') || output.starts_with('/')) return std::nullopt;
  std::error_code error;
  const auto base = std::filesystem::absolute(directory.empty() ? "." : directory, error);
  if (error) return std::nullopt;
  auto top = std::filesystem::weakly_canonical(base, error);
  if (error) return std::nullopt;
  if (!top.has_filename()) top = top.parent_path();  // "new/", which does not exist yet.
  const auto folder = std::filesystem::weakly_canonical((base / output).parent_path(), error);
  if (error || std::ranges::mismatch(top, folder).in1 == top.end()) return std::nullopt;
  return fmt::format("can't write {}: its folder is a link to {}, outside {}", inert(output),
                     inert(folder.native()), inert(top.native()));
}

/// Whether templates name its file, so that the job could not be looked through for others of that name.
bool is_named_late(const AttemptContext& context) {
  const auto& written = std::get<std::unique_ptr<const job::Fetch>>(context.job[context.id].action);
  return fetch_of(context).output && !written->output;
}

/// The same of the file that will be written, or of any in its folder if its name is not known yet.
std::optional<std::string> fault_in_output(const job::Fetch& fetch, const std::filesystem::path& directory) {
  if (fetch.saving->named_in) return leads_out(directory, (*fetch.saving->named_in / "file").native());
  return fetch.output ? leads_out(directory, *fetch.output) : std::nullopt;
}

}  // namespace

/// Tells the result what a trail holds in the end, also of an attempt that is cancelled; the times of several
/// mirrors are added up.
class FetchExecutor::Telling {
 public:
  Telling(net::Trail& trail, AttemptResult& result)
      : trail_(trail), transfer_(std::make_shared<Transfer>()), result_(result) {}
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;
  ~Telling() {
    if (trail_.url.empty()) return;
    const Transfer before = result_.transfer ? *result_.transfer : Transfer();
    transfer_->dns = before.dns + trail_.phases.dns;
    transfer_->connect = before.connect + trail_.phases.connect;
    transfer_->tls = before.tls + trail_.phases.tls;
    transfer_->first_byte = before.first_byte + trail_.phases.first_byte;
    transfer_->body = before.body + trail_.phases.body;
    transfer_->final_url = std::move(trail_.url);
    if (!shows_query_)
      for (std::string* const url : {&transfer_->final_url, &transfer_->mirror})
        url->resize(std::min(url->find_first_of("?#"), url->size()));
    transfer_->http_version = std::move(trail_.http_version);
    result_.transfer = std::move(transfer_);
  }

  void resumed_from(std::uint64_t bytes) noexcept { transfer_->resumed_from = bytes; }
  void unverified_length(bool yes) noexcept { transfer_->unverified_length = yes; }
  void saved_as(const std::filesystem::path& path) { transfer_->saved_as = path.lexically_normal().string(); }
  /// What is told of URLs leaves out the query, where results may have been filled in.
  void without_query() noexcept { shows_query_ = false; }
  void mirror(std::string url) noexcept { transfer_->mirror = std::move(url); }

 private:
  net::Trail& trail_;
  std::shared_ptr<Transfer> transfer_;
  AttemptResult& result_;
  bool shows_query_ = true;
};

namespace {

/// A thread writes what does not stay in memory.
async::Co<process::Spool> spooled(std::string text) {
  constexpr std::size_t most_in_memory = std::size_t{64} * 1024;
  const auto spool = [](const std::string& all) {
    process::Spool kept(most_in_memory);
    kept.append(all);
    return kept;
  };
  if (text.size() <= most_in_memory) co_return spool(text);
  co_return co_await async::to_thread(spool, std::move(text));
}

struct ToOutcome {
  AttemptResult& result;

  Outcome operator()(const net::Fetched& fetched) const {
    if (fetched.status != 0) result.http_status = fetched.status;
    if (fetched.from == net::Fetched::From::network || fetched.from == net::Fetched::From::resumed)
      result.bytes_in = fetched.bytes - fetched.resumed_from;
    return Passed{};
  }
  Outcome operator()(net::UnexpectedStatus& answer) const {
    result.http_status = answer.status;
    return UnexpectedStatus{answer.status, std::move(answer.detail), answer.retry_after};
  }
  Outcome operator()(net::Failure& failure) const {
    return TransferFailed{std::string(net::name(failure.kind)), std::move(failure.why), !failure.permanent};
  }
  Outcome operator()(net::ChecksumMismatch& mismatch) const {
    return ChecksumMismatch{std::move(mismatch.expected), std::move(mismatch.actual)};
  }
  Outcome operator()(net::NotAsExpected& answer) const { return NotAsExpected{std::move(answer.why)}; }
  Outcome operator()(net::LocalFailure& failure) const { return LocalFailure{std::move(failure.why)}; }
};

}  // namespace

async::Co<> FetchExecutor::attempt(const AttemptContext& context, AttemptResult& result) {
  // Read for each attempt, and kept nowhere: a secret may be renewed meanwhile.
  auto authorization = authorization_for(fetch_of(context).request->auth, context.job.directory);
  if (!authorization) {
    result.outcome = LocalFailure{std::move(authorization.error())};
    co_return;
  }
  net::Download wanted = download_for(context);
  wanted.transport = transport_of(context);
  if (fetch_of(context).saving->named_in) let_server_name(context, wanted);
  if (is_named_late(context))
    if (auto claimed =
            late_names_.claim(context.job, context.id, *fetch_of(context).output, "its templates name this");
        !claimed) {
      result.outcome = LocalFailure{std::move(claimed.error())};
      co_return;
    }
  if (auto fault = fault_in_output(fetch_of(context), context.job.directory)) {
    result.outcome = LocalFailure{std::move(*fault)};
    co_return;
  }
  if (!authorization->empty()) wanted.headers.emplace_back("Authorization", std::move(*authorization));
  if (anew_) {
    wanted.resume = false;
    wanted.if_exists = net::IfExists::overwrite;
  }
  if (fetch_of(context).saving->checksums && wanted.output)
    if (auto failed = co_await look_up(context, wanted)) {
      result.outcome = std::move(*failed);
      co_return;
    }
  wanted.tell_headers = needs(context.task(), job::ResultPart::header);
  if (needs(context.task(), job::ResultPart::sha256)) wanted.tell_sha256 = wanted.tell_of_existing = true;
  wanted.received = &received_;
  wanted.folders = folders_ ? &*folders_ : nullptr;
  net::Trail trail;
  wanted.trail = &trail;
  Telling telling(trail, result);
  if (!wanted.mirrors.empty()) telling.mirror(wanted.url);
  if (context.filled != nullptr) telling.without_query();
  result.http_status.reset();
  result.outcome = co_await download(context, wanted, result, telling);
}

async::Co<Outcome> FetchExecutor::download(const AttemptContext& context, net::Download& wanted,
                                           AttemptResult& result, Telling& telling) {
  process::Spool body;
  const bool keeps_body = fetch_of(context).saving->body_as_output;
  if (keeps_body)
    wanted.take = [&body](std::string_view piece) -> std::expected<void, std::string> {
      body.append(piece);
      if (body.failure()) return std::unexpected(*body.failure());
      return {};
    };
  net::DownloadResult ending = co_await net::download(session_, wanted);
  if (auto* const fetched = std::get_if<net::Fetched>(&ending)) {
    telling.resumed_from(fetched->resumed_from);
    telling.unverified_length(fetched->unverified_length);
    if (fetched->path)
      telling.saved_as(*fetched->path);
    else if (is_named_late(context))
      telling.saved_as(*wanted.output);
    if (fetched->digest && wanted.algorithm() == net::Algorithm::sha256) result.sha256 = *fetched->digest;
  }
  Outcome outcome = std::visit(ToOutcome{result}, ending);
  if (keeps_body && passed(outcome)) result.out = output(std::move(body));
  auto* const fetched = std::get_if<net::Fetched>(&ending);
  if (fetched != nullptr && context.task().outputs)
    if (auto failed = co_await take_outputs(context, wanted, *fetched, result)) co_return std::move(*failed);
  if (fetched != nullptr && inputs_ != nullptr && inputs_->is_read(context.id)) {
    process::Spool kept = co_await spooled(std::move(fetched->body));
    if (kept.failure()) co_return LocalFailure{*kept.failure()};
    result.body = output(std::move(kept));
  }
  co_return outcome;
}

async::Co<std::optional<Outcome>> FetchExecutor::take_outputs(const AttemptContext& context,
                                                              const net::Download& wanted,
                                                              const net::Fetched& fetched,
                                                              AttemptResult& result) {
  Given given;
  if (fetched.status != 0) given.status = fetched.status;
  if (fetched.headers)
    given.header = [headers = fetched.headers](std::string_view name) { return joined(*headers, name); };
  if (fetched.digest && wanted.algorithm() == net::Algorithm::sha256) given.sha256 = *fetched.digest;
  if (wanted.output) {
    const std::filesystem::path path(fetched.path ? *fetched.path : std::filesystem::path(*wanted.output));
    given.path = std::filesystem::absolute(path).lexically_normal();
    given.text = path;
  } else if (needs_text(context.task())) {
    given.text = fetched.body;
  }
  auto values = co_await outputs_of(context.task(), std::move(given));
  if (!values) co_return std::move(values.error());
  result.values = std::move(*values);
  co_return std::nullopt;
}

net::SharedTransport FetchExecutor::transport_of(const AttemptContext& context) {
  const auto& wanted = fetch_of(context).transport;
  if (!last_transport_ || !last_wanted_.is(wanted) ||
      last_directory_.native() != context.job.directory.native()) {
    last_transport_ = transport_for(*wanted, context.job.directory);
    last_wanted_ = wanted;
    last_directory_ = context.job.directory;
  }
  return *last_transport_;
}

void FetchExecutor::let_server_name(const AttemptContext& context, net::Download& download) {
  const job::Fetch& fetch = fetch_of(context);
  const std::filesystem::path& folder = *fetch.saving->named_in;
  // Until the name is known the part has one of its own, the same in every run.
  download.output =
      (context.job.directory / folder / fmt::format(".gather-{:016x}", net::source_of(fetch.url))).string();
  download.path = [this, &context, &fetch,
                   &folder](const net::Head& head) -> std::expected<std::filesystem::path, std::string> {
    std::optional<std::string> name;
    if (const auto header = head.headers.get("content-disposition"))
      if (const auto named = net::filename_in(*header)) name = net::harmless_name(*named);
    if (!name)
      if (const auto named = job::name_after(fetch.url)) name = net::harmless_name(*named);
    if (!name)
      return std::unexpected(
          "the server names no file that can be written, nor does the URL; name an output");
    const std::filesystem::path path = (folder / *name).lexically_normal();
    if (auto claimed = late_names_.claim(context.job, context.id, path, "the server names this"); !claimed)
      return std::unexpected(std::move(claimed.error()));
    return context.job.directory / path;
  };
}

async::Co<std::optional<Outcome>> FetchExecutor::look_up(const AttemptContext& context,
                                                         net::Download& download) {
  const auto& source = fetch_of(context).saving->checksums;
  {
    const auto guard = co_await reading_.scoped();
    if (!lists_.contains(*source))
      if (auto failed = co_await read_list(context, *source)) co_return failed;
  }
  const std::string name = download.output->substr(download.output->rfind('/') + 1);
  auto checksum = net::checksum_for(name, lists_.at(*source));
  if (!checksum)
    co_return LocalFailure{fmt::format("no checksum in {}: {}", inert(*source), checksum.error())};
  download.checksum = std::move(*checksum);
  co_return std::nullopt;
}

async::Co<std::optional<Outcome>> FetchExecutor::read_list(const AttemptContext& context,
                                                           const std::string& source) {
  std::string text;
  if (source.starts_with("http://") || source.starts_with("https://")) {
    net::Download wanted;
    wanted.url = source;
    net::DownloadResult ending = co_await net::download(session_, wanted);
    auto* const fetched = std::get_if<net::Fetched>(&ending);
    if (fetched == nullptr) {
      AttemptResult of_list;
      co_return std::visit(ToOutcome{of_list}, ending);
    }
    text = std::move(fetched->body);
  } else {
    try {
      text = co_await async::read_file(context.job.directory / source);
    } catch (const std::filesystem::filesystem_error& error) {
      co_return LocalFailure{
          fmt::format("can't read the list of checksums {}: {}", inert(source), error.code().message())};
    }
  }
  auto list = net::parse_checksum_list(text);
  if (!list)
    co_return LocalFailure{
        fmt::format("can't use the list of checksums {}: {}", inert(source), list.error())};
  lists_.emplace(source, std::move(*list));
  co_return std::nullopt;
}

}  // namespace gather::run
