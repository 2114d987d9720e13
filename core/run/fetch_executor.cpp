#include "core/run/fetch_executor.hpp"

#include "core/net/download.hpp"
#include "core/run/spooled_output.hpp"

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
  if (fetch.checksum) download.sha256 = fetch.checksum->hex;
  download.digest = fetch.tell_sha256;
  download.expected = fetch.expect_status.listed;
  return download;
}

struct ToOutcome {
  AttemptResult& result;

  Outcome operator()(const net::Fetched& fetched) const {
    result.http_status = fetched.status;
    result.bytes_in = fetched.bytes;
    result.sha256 = fetched.sha256.value_or("");
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
  result.outcome = std::visit(ToOutcome{result}, ending);
  if (keeps_body && passed(result.outcome)) result.out = output(std::move(body));
}

}  // namespace gather::run
