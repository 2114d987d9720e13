#include "core/run/fetch_download.hpp"

#include "core/job/expect.hpp"
#include "core/job/pages.hpp"
#include "core/net/authorization.hpp"
#include "core/run/secret.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace gather::run {
namespace {

/// As `directory / path`, which takes both paths apart first.
std::string below(const std::string& directory, const std::string& path) {
  if (directory.empty() || path.starts_with('/')) return path;
  return directory + (directory.ends_with('/') ? "" : "/") + path;
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

}  // namespace

const job::Fetch& fetch_of(const AttemptContext& context) {
  return *std::get<std::unique_ptr<const job::Fetch>>(context.task().action);
}

std::optional<std::string> joined(const net::Headers& headers, std::string_view name) {
  const auto values = headers.get_all(name);
  if (values.empty()) return std::nullopt;
  return fmt::format("{}", fmt::join(values, ", "));
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
  download.tell_of_existing = saving.tell_of_existing;
  download.if_exists = if_exists_of(saving.if_exists);
  download.max_size = saving.max_size;
  download.mtime = saving.mtime;
  download.mode = saving.mode;
  download.fsync = saving.fsync == job::Fsync::never  ? net::Fsync::never
                   : saving.fsync == job::Fsync::file ? net::Fsync::file
                                                      : net::Fsync::full;
  return download;
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

}  // namespace gather::run
