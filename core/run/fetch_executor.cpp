#include "core/run/fetch_executor.hpp"

#include "core/async/io/files.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/thread/to_thread.hpp"
#include "core/base/quote.hpp"
#include "core/job/fetch_job.hpp"
#include "core/net/authorization.hpp"
#include "core/net/disposition.hpp"
#include "core/net/part_note.hpp"
#include "core/run/secret.hpp"
#include "core/run/spooled_output.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace gather::run {
namespace {

const job::Fetch& fetch_of(const AttemptContext& context) {
  return *std::get<std::unique_ptr<const job::Fetch>>(context.task().action);
}

net::Transport transport_for(const job::Transport& wanted, const std::filesystem::path& directory) {
  net::Transport how;
  how.connect_timeout = wanted.connect_timeout;
  how.stall_timeout = wanted.stall_timeout;
  how.limit_rate = wanted.limit_rate.value_or(0);
  how.redirects = wanted.redirects;
  how.trust_redirects = wanted.trust_redirects;
  how.http = wanted.http == job::HttpVersion::automatic ? net::HttpVersion::automatic
             : wanted.http == job::HttpVersion::two     ? net::HttpVersion::two
                                                        : net::HttpVersion::one;
  how.proxy = wanted.proxy;
  how.netrc = wanted.netrc;
  if (wanted.cacert) how.authorities = directory / *wanted.cacert;
  if (wanted.cert)
    how.certificate = {directory / wanted.cert->certificate,
                       wanted.cert->key.empty() ? "" : (directory / wanted.cert->key).string()};
  how.insecure = wanted.insecure;
  if (wanted.unix_socket) how.unix_socket = directory / *wanted.unix_socket;
  how.resolve = wanted.resolve;
  how.public_only = wanted.public_only;
  return how;
}

/// As `directory / path`, which takes both paths apart first.
std::string below(const std::string& directory, const std::string& path) {
  if (directory.empty() || path.starts_with('/')) return path;
  return directory + (directory.ends_with('/') ? "" : "/") + path;
}

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

/// The same of the file that will be written, or of any in its folder if its name is not known yet.
std::optional<std::string> fault_in_output(const job::Fetch& fetch, const std::filesystem::path& directory) {
  if (fetch.saving->named_in) return leads_out(directory, (*fetch.saving->named_in / "file").native());
  return fetch.output ? leads_out(directory, *fetch.output) : std::nullopt;
}

/// The value of the header Authorization, empty for none; or why it can't be made.
std::expected<std::string, std::string> authorization_for(const job::Auth& auth,
                                                          const std::filesystem::path& directory) {
  if (const auto* basic = std::get_if<job::BasicAuth>(&auth)) {
    auto password = read_secret(basic->password, directory);
    if (password) *password = net::basic_authorization(basic->user, *password);
    return password;
  }
  if (const auto* bearer = std::get_if<job::BearerAuth>(&auth)) {
    auto token = read_secret(bearer->token, directory);
    if (token) token->insert(0, "Bearer ");
    return token;
  }
  return "";
}

net::IfExists if_exists_of(job::IfExists word) {
  switch (word) {
    case job::IfExists::verify:
      return net::IfExists::verify;
    case job::IfExists::skip:
      return net::IfExists::skip;
    case job::IfExists::overwrite:
      return net::IfExists::overwrite;
    case job::IfExists::fail:
      return net::IfExists::fail;
  }
  return net::IfExists::verify;
}

/// One value of a header that may come several times, as HTTP joins them.
std::optional<std::string> joined(const net::Headers& headers, std::string_view name) {
  const auto values = headers.get_all(name);
  if (values.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(values, ", "));
}

net::Expectations expectations_of(const job::Expect& expect) {
  net::Expectations made;
  made.size = expect.size;
  if (expect.of_head())
    made.head = [&expect](const net::Head& head, bool partial) {
      return job::fault_in_headers(
          expect, [&](std::string_view name) { return joined(head.headers, name); }, partial);
    };
  if (expect.of_body())
    made.body = [kept = std::make_shared<const job::Expect>(expect)](std::string_view body) {
      return job::fault_in_body(*kept, body);
    };
  return made;
}

net::Pages pages_for(const job::Paginate& paginate, const AttemptContext& context) {
  net::Pages pages;
  pages.before_next = context.next_request;
  pages.read = [paginate](const std::string& body) -> std::expected<net::Page, std::string> {
    auto page = job::read_page(paginate, body);
    if (!page) return std::unexpected(std::move(page.error()));
    return net::Page{std::move(page->items), std::move(page->next)};
  };
  pages.next_by_link = !paginate.next;
  pages.most = paginate.max.value_or(job::usual_pages);
  pages.more_is_failure = !paginate.max;
  return pages;
}

net::Download download_for(const AttemptContext& context) {
  const job::Fetch& fetch = fetch_of(context);
  const job::Request& request = *fetch.request;
  const job::Saving& saving = *fetch.saving;
  net::Download download;
  download.url = fetch.nth_url(context.mirror);
  if (!fetch.mirrors.empty()) {
    download.mirrors = fetch.mirrors;
    download.mirrors.insert(download.mirrors.begin(), fetch.url);
  }
  download.method = request.method;
  download.headers = request.headers;
  download.body = request.body;
  for (const job::FormPart& part : request.files)
    download.parts.push_back(
        {part.name, part.value,
         part.file ? std::optional((context.job.directory / *part.file).string()) : std::nullopt, part.type});
  if (fetch.output) download.output = below(context.job.directory.native(), *fetch.output);
  if (fetch.checksum)
    download.checksum = {net::algorithm_named(fetch.checksum->algorithm).value(), fetch.checksum->hex};
  if (fetch.expect) {
    download.expected = fetch.expect->status.listed;
    download.expect = expectations_of(*fetch.expect);
  }
  if (fetch.paginate) download.pages = pages_for(*fetch.paginate, context);
  download.resume = saving.resume;
  download.compressed = saving.compressed;
  download.tell_sha256 = saving.tell_sha256;
  download.if_exists = if_exists_of(saving.if_exists);
  download.max_size = saving.max_size;
  download.mtime = saving.mtime;
  download.mode = saving.mode;
  download.fsync = saving.fsync == job::Fsync::never  ? net::Fsync::never
                   : saving.fsync == job::Fsync::file ? net::Fsync::file
                                                      : net::Fsync::full;
  return download;
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
    transfer_->http_version = std::move(trail_.http_version);
    result_.transfer = std::move(transfer_);
  }

  void resumed_from(std::uint64_t bytes) noexcept { transfer_->resumed_from = bytes; }
  void unverified_length(bool yes) noexcept { transfer_->unverified_length = yes; }
  void saved_as(const std::filesystem::path& path) { transfer_->saved_as = path.lexically_normal().string(); }
  void mirror(std::string url) noexcept { transfer_->mirror = std::move(url); }

 private:
  net::Trail& trail_;
  std::shared_ptr<Transfer> transfer_;
  AttemptResult& result_;
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
  wanted.received = &received_;
  wanted.folders = folders_ ? &*folders_ : nullptr;
  net::Trail trail;
  wanted.trail = &trail;
  Telling telling(trail, result);
  if (!wanted.mirrors.empty()) telling.mirror(wanted.url);
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
    if (fetched->path) telling.saved_as(*fetched->path);
    if (fetched->digest && wanted.algorithm() == net::Algorithm::sha256) result.sha256 = *fetched->digest;
  }
  Outcome outcome = std::visit(ToOutcome{result}, ending);
  if (keeps_body && passed(outcome)) result.out = output(std::move(body));
  if (auto* const fetched = std::get_if<net::Fetched>(&ending);
      fetched != nullptr && inputs_ != nullptr && inputs_->is_read(context.id)) {
    process::Spool kept = co_await spooled(std::move(fetched->body));
    if (kept.failure()) co_return LocalFailure{*kept.failure()};
    result.body = output(std::move(kept));
  }
  co_return outcome;
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
      (context.job.directory / folder / fmt::format(".gather-{}", net::source_of(fetch.url))).string();
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
    if (auto claimed = late_names_.claim(context.job, context.id, path); !claimed)
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
