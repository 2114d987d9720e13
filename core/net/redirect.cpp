#include "core/net/redirect.hpp"

#include "core/base/quote.hpp"
#include "core/net/curl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace gather::net {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Scheme, host and port; empty where the URL can't be read.
struct Origin {
  std::string scheme;
  std::string host;
  std::string port;

  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Read by libcurl's own parser: one that differed from what connects would be a hole.
Origin origin_of(const std::string& url) {
  const CurlUrl parsed(curl().url());
  if (!parsed ||
      curl().url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return {};
  const auto part = [&](CURLUPart which) -> std::string {
    char* text = nullptr;
    if (curl().url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
    return lower(CurlText(text).get());
  };
  return {part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
}

bool describes_body(std::string_view header) { return lower(header).starts_with("content-"); }

Failure refusal(const Request& request, std::string_view location, std::string_view why) {
  return {Failure::Kind::redirect,
          fmt::format("{} redirects to {}, {}", host_of(request.url), in_quotes(location, 200), why), true};
}

}  // namespace

bool redirects(int status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::expected<Request, Failure> redirected(const Request& request, const Request& first, int status,
                                           std::string_view location) {
  Request next;
  next.url = location;
  next.expected = request.expected;
  const Origin target = origin_of(next.url);
  if (target.host.empty() && (target.scheme.empty() || target.scheme.starts_with("http")))
    return std::unexpected(refusal(request, location, "which is no URL"));
  if (target.scheme != "http" && target.scheme != "https")
    return std::unexpected(refusal(request, location, "and only http and https are followed"));
  if (target.scheme == "http" && origin_of(request.url).scheme == "https")
    return std::unexpected(refusal(request, location, "which would leave the secure connection"));

  const bool becomes_get =
      status == 303 ? request.method != "HEAD" : (status == 301 || status == 302) && request.method == "POST";
  next.method = becomes_get ? "GET" : request.method;
  if (!becomes_get) next.body = request.body;
  const bool at_home = target == origin_of(first.url);
  for (const auto& header : first.headers) {
    const bool allowed = describes_body(header.first)
                             ? next.body && (at_home || lower(header.first) == "content-type")
                             : at_home;
    if (allowed) next.headers.push_back(header);
  }
  return next;
}

}  // namespace gather::net
