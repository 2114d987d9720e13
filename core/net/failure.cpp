#include "core/net/failure.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>

namespace gather::net {
namespace {

using Kind = Failure::Kind;

std::string reason(const CurlError& error) {
  if (error.os_error != 0) return system_error_text(error.os_error);
  return error.text.empty() ? fmt::format("libcurl error {}", error.code) : inert(error.text);
}

Failure cut_off(const CurlError& error, const Progress& progress, std::string_view host) {
  const std::string_view how =
      error.os_error == ECONNRESET ? "reset the connection" : "closed the connection";
  if (!progress.head) return {Kind::truncated, fmt::format("{} {} before it answered", host, how)};
  if (progress.length != 0)
    return {Kind::truncated,
            fmt::format("{} {} after {} of {} bytes", host, how, progress.received, progress.length)};
  return {Kind::truncated,
          fmt::format("{} {} after {} bytes, before the end of the body", host, how, progress.received)};
}

}  // namespace

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::dns:
      return "dns";
    case Kind::connect:
      return "connect";
    case Kind::tls:
      return "tls";
    case Kind::timeout:
      return "timeout";
    case Kind::truncated:
      return "truncated";
    case Kind::too_large:
      return "too-large";
    case Kind::redirect:
      return "redirect";
    case Kind::protocol:
      return "protocol";
    case Kind::local:
      return "local";
  }
  return "";
}

std::string host_of(std::string_view url) {
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#\\"));
  if (const std::size_t user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  return inert(url);
}

Failure explain(const CurlError& error, const Progress& progress, std::string_view url) {
  const std::string host = host_of(url);
  switch (error.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Kind::dns, fmt::format("no address was found for {}", host)};
    case CURLE_COULDNT_RESOLVE_PROXY:
      if (error.text.contains('@'))  // Quotes a proxy that can't be read, password and all.
        return {Kind::dns, fmt::format("the proxy to {} is no URL", host), true};
      return {Kind::dns, fmt::format("no address was found for the proxy to {}: {}", host, reason(error))};
    case CURLE_COULDNT_CONNECT:
      return {Kind::connect, fmt::format("can't connect to {}: {}", host, reason(error))};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return {Kind::tls, fmt::format("the certificate of {} is not trusted: {}", host, inert(error.text)),
              true};
    case CURLE_SSL_CERTPROBLEM:
      return {Kind::tls, fmt::format("our certificate for {} can't be used: {}", host, inert(error.text)),
              true};
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
      return {
          Kind::tls,
          fmt::format("no certificates to check {} with: {}; install the package ca-certificates, or name a "
                      "bundle in SSL_CERT_FILE (CURL_CA_BUNDLE goes over it)",
                      host, inert(error.text)),
          true};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_USE_SSL_FAILED:
      return {Kind::tls, fmt::format("no secure connection to {}: {}", host, reason(error))};
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
      return cut_off(error, progress, host);
    case CURLE_RECV_ERROR:  // Also what libcurl says of bad chunks, as text alone.
      if (error.text.contains("chunked-encoding")) break;
      return cut_off(error, progress, host);
    case CURLE_UNSUPPORTED_PROTOCOL:  // Also an answer without a head.
      if (error.text.contains("HTTP/0.9")) break;
      [[fallthrough]];
    case CURLE_URL_MALFORMAT:
      return {Kind::protocol,
              fmt::format("{} is no URL that can be fetched: {}", in_quotes(url), reason(error)), true};
    case CURLE_LOGIN_DENIED:  // CURLOPT_DISALLOW_USERNAME_IN_URL
      return {Kind::protocol, fmt::format("the URL for {} holds a user or password", host), true};
    case CURLE_OUT_OF_MEMORY:
      return {Kind::local, fmt::format("out of memory while fetching from {}", host)};
    default:
      break;
  }
  return {Kind::protocol, fmt::format("{} sent what is no proper answer: {}", host, reason(error))};
}

}  // namespace gather::net
