#include "core/net/redirect.hpp"

#include "core/base/quote.hpp"
#include "core/net/headers.hpp"
#include "core/net/url.hpp"

#include <fmt/format.h>

#include <string>

namespace gather::net {
namespace {

bool describes_body(std::string_view header) {
  constexpr std::string_view prefix = "content-";
  return same_name(header.substr(0, prefix.size()), prefix);
}

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
  next.conditions = request.conditions;
  next.transport = first.transport;
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
  if (!becomes_get) {
    next.body = request.body;
    next.parts = request.parts;
  }
  const bool at_home = first.transport->trust_redirects || target == origin_of(first.url);
  if (!at_home && next.transport->certificate) next.transport.edit().certificate.reset();
  for (const auto& header : first.headers) {
    const bool allowed = describes_body(header.first)
                             ? next.body && (at_home || same_name(header.first, "content-type"))
                             : at_home;
    if (allowed) next.headers.push_back(header);
  }
  return next;
}

}  // namespace gather::net
