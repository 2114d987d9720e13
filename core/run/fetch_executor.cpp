#include "core/run/fetch_executor.hpp"

#include "core/async/io/files.hpp"
#include "core/base/quote.hpp"
#include "core/net/authorization.hpp"
#include "core/run/secret.hpp"
#include "core/run/spooled_output.hpp"

#include <fmt/format.h>

#include <expected>
#include <filesystem>
#include <string>
#include <utility>

namespace gather::run {
namespace {

const job::Fetch& fetch_of(const AttemptContext& context) {
  return *std::get<std::unique_ptr<const job::Fetch>>(context.task().action);
}

net::Transport transport_for(const job::Fetch& fetch, const std::filesystem::path& directory) {
  net::Transport how;
  how.connect_timeout = fetch.connect_timeout;
  how.stall_timeout = fetch.stall_timeout;
  how.limit_rate = fetch.limit_rate.value_or(0);
  how.redirects = fetch.redirects;
  how.trust_redirects = fetch.trust_redirects;
  how.http = fetch.http == job::HttpVersion::automatic ? net::HttpVersion::automatic
             : fetch.http == job::HttpVersion::two     ? net::HttpVersion::two
                                                       : net::HttpVersion::one;
  how.proxy = fetch.proxy;
  how.netrc = fetch.netrc;
  if (fetch.cacert) how.authorities = directory / *fetch.cacert;
  if (fetch.cert)
    how.certificate = {directory / fetch.cert->certificate,
                       fetch.cert->key.empty() ? "" : (directory / fetch.cert->key).string()};
  how.insecure = fetch.insecure;
  if (fetch.unix_socket) how.unix_socket = directory / *fetch.unix_socket;
  how.resolve = fetch.resolve;
  return how;
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

net::Download download_for(const AttemptContext& context) {
  const job::Fetch& fetch = fetch_of(context);
  net::Download download;
  download.url = fetch.url;
  download.method = fetch.method;
  download.headers = fetch.headers;
  download.body = fetch.body;
  for (const job::FormPart& part : fetch.files)
    download.parts.push_back(
        {part.name, part.value,
         part.file ? std::optional((context.job.directory / *part.file).string()) : std::nullopt, part.type});
  download.transport = transport_for(fetch, context.job.directory);
  if (fetch.output) download.output = context.job.directory / *fetch.output;
  if (fetch.checksum)
    download.checksum = {net::algorithm_named(fetch.checksum->algorithm).value(), fetch.checksum->hex};
  download.expected = fetch.expect_status.listed;
  download.resume = fetch.resume;
  download.tell_sha256 = fetch.tell_sha256;
  download.if_exists = if_exists_of(fetch.if_exists);
  download.max_size = fetch.max_size;
  download.mtime = fetch.mtime;
  download.mode = fetch.mode;
  download.fsync = fetch.fsync == job::Fsync::never  ? net::Fsync::never
                   : fetch.fsync == job::Fsync::file ? net::Fsync::file
                                                     : net::Fsync::full;
  return download;
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
  Outcome operator()(net::LocalFailure& failure) const { return LocalFailure{std::move(failure.why)}; }
};

}  // namespace

async::Co<> FetchExecutor::attempt(const AttemptContext& context, AttemptResult& result) {
  // Read for each attempt, and kept nowhere: a secret may be renewed meanwhile.
  auto authorization = authorization_for(fetch_of(context).auth, context.job.directory);
  if (!authorization) {
    result.outcome = LocalFailure{std::move(authorization.error())};
    co_return;
  }
  net::Download wanted = download_for(context);
  if (!authorization->empty()) wanted.headers.emplace_back("Authorization", std::move(*authorization));
  if (anew_) {
    wanted.resume = false;
    wanted.if_exists = net::IfExists::overwrite;
  }
  if (auto failed = co_await look_up(context, wanted)) {
    result.outcome = std::move(*failed);
    co_return;
  }
  wanted.received = &received_;
  process::Spool body;
  const bool keeps_body = fetch_of(context).body_as_output;
  if (keeps_body)
    wanted.take = [&body](std::string_view piece) -> std::expected<void, std::string> {
      body.append(piece);
      if (body.failure()) return std::unexpected(*body.failure());
      return {};
    };
  net::DownloadResult ending = co_await net::download(session_, wanted);
  if (const auto* fetched = std::get_if<net::Fetched>(&ending);
      fetched != nullptr && fetched->digest && wanted.algorithm() == net::Algorithm::sha256)
    result.sha256 = *fetched->digest;
  result.outcome = std::visit(ToOutcome{result}, ending);
  if (keeps_body && passed(result.outcome)) result.out = output(std::move(body));
}

async::Co<std::optional<Outcome>> FetchExecutor::look_up(const AttemptContext& context,
                                                         net::Download& download) {
  const auto& source = fetch_of(context).checksums;
  if (!source || !download.output) co_return std::nullopt;
  {
    const auto guard = co_await reading_.scoped();
    if (!lists_.contains(*source))
      if (auto failed = co_await read_list(context, *source)) co_return failed;
  }
  auto checksum = net::checksum_for(download.output->filename().native(), lists_.at(*source));
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
