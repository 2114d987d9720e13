#include "core/run/fetch_executor.hpp"

#include "core/net/download.hpp"

namespace gather::run {
namespace {

net::Download download_for(const AttemptContext& context) {
  const job::Fetch& fetch = *std::get<std::unique_ptr<const job::Fetch>>(context.task().action);
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
  const net::Download wanted = download_for(context);
  net::DownloadResult ending = co_await net::download(session_, wanted);
  result.outcome = std::visit(ToOutcome{result}, ending);
}

}  // namespace gather::run
