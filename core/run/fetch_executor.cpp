#include "core/run/fetch_executor.hpp"

#include "core/async/io/files.hpp"
#include "core/base/quote.hpp"
#include "core/run/spooled_output.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace gather::run {
namespace {

const job::Fetch& fetch_of(const AttemptContext& context) {
  return *std::get<std::unique_ptr<const job::Fetch>>(context.task().action);
}

net::Download download_for(const AttemptContext& context) {
  const job::Fetch& fetch = fetch_of(context);
  net::Download download;
  download.url = fetch.url;
  download.method = fetch.method;
  download.headers = fetch.headers;
  download.body = fetch.body;
  if (fetch.output) download.output = context.job.directory / *fetch.output;
  if (fetch.checksum)
    download.checksum = {net::algorithm_named(fetch.checksum->algorithm).value(), fetch.checksum->hex};
  download.expected = fetch.expect_status.listed;
  download.resume = fetch.resume;
  download.tell_sha256 = fetch.tell_sha256;
  return download;
}

struct ToOutcome {
  AttemptResult& result;

  Outcome operator()(const net::Fetched& fetched) const {
    result.http_status = fetched.status;
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
  net::Download wanted = download_for(context);
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
      fetched != nullptr && wanted.algorithm() == net::Algorithm::sha256)
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
