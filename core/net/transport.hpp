/// How a request is sent, whatever it asks for: time, pace, route, and who trusts whom. Plain data.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/shared.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gather::net {

enum class HttpVersion : std::uint8_t {
  one,        ///< HTTP/1.1.
  two,        ///< HTTP/2 where the server has it over TLS; plain http stays HTTP/1.1.
  automatic,  ///< As `two` from libcurl 8 on; before, it takes some cut bodies for whole ones.
};

/// A certificate that tells the server who we are, both files in PEM.
struct ClientCertificate {
  std::string certificate;
  std::string key;  ///< Empty: in the same file.
};

struct Transport {
  std::optional<Duration> connect_timeout = {};  ///< For name, connection and TLS; else the session's.
  std::optional<Duration> stall_timeout = {};    ///< Between two signs of life; else the session's.
  std::uint64_t limit_rate = 0;  ///< Bytes of body per second, on average over seconds; 0: no limit.
  int redirects = 10;            ///< So many are followed; the next is a failure.
  bool trust_redirects = false;  ///< Headers and certificate go to other origins, too.
  HttpVersion http = HttpVersion::one;
  std::optional<std::string> proxy = {};  ///< Over the environment's; empty: none. May hold a password.
  bool netrc = false;                     ///< User and password from ~/.netrc, for each host its own.
  std::string authorities = {};           ///< A file in PEM, instead of the system's; empty: those.
  std::optional<ClientCertificate> certificate = {};
  bool insecure = false;                  ///< Certificates and names of servers are not checked.
  std::string unix_socket = {};           ///< Connected to instead of any host, redirects included.
  std::vector<std::string> resolve = {};  ///< host:port:address, over what a name server says.
  bool public_only = false;               ///< No address but a public one is connected to, proxies included.
};

/// As requests have it: most of them the same one.
using SharedTransport = Shared<Transport>;

/// Whether that asks for HTTP/2.
bool wants_http2(HttpVersion version);

/// What a connection must have been made for to be used for a request with these: requests with other words
/// here never share one. Holds secrets; never to be shown. Empty for an ordinary request.
///
/// In it: route, trust, certificate, and the headers Authorization, Proxy-Authorization and Cookie. libcurl
/// itself tells fewer of them apart, and keeps what `resolve` says for every later request.
std::string connection_key(const Transport& transport,
                           const std::vector<std::pair<std::string, std::string>>& headers);

}  // namespace gather::net
