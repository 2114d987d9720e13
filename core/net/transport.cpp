#include "core/net/transport.hpp"

#include "core/net/headers.hpp"
#include "core/net/http_transfer.hpp"

#include <algorithm>

namespace gather::net {
namespace {

constexpr unsigned libcurl_8 = 0x080000;

bool tells_who(std::string_view header) {
  return same_name(header, "authorization") || same_name(header, "proxy-authorization") ||
         same_name(header, "cookie");
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

}  // namespace

bool wants_http2(HttpVersion version) {
  if (version == HttpVersion::automatic) return curl().version >= libcurl_8;
  return version == HttpVersion::two;
}

std::string connection_key(const Transport& transport,
                           const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string key;
  // A NUL ends each part, and none can hold one: paths and options are C strings to libcurl.
  const auto add = [&](std::string_view name, std::string_view value) {
    key.append(name).push_back('\0');
    key.append(value).push_back('\0');
  };
  for (const auto& [name, value] : headers)
    if (tells_who(name)) add(name, value);
  if (transport.proxy) add("proxy", *transport.proxy);
  if (transport.netrc) add("netrc", "");
  if (!transport.authorities.empty()) add("authorities", transport.authorities);
  if (transport.certificate) {
    add("certificate", transport.certificate->certificate);
    add("key", transport.certificate->key);
  }
  if (transport.insecure) add("insecure", "");
  if (transport.public_only) add("public", "");
  if (!transport.unix_socket.empty()) add("unix", transport.unix_socket);
  for (const std::string& entry : transport.resolve) add("resolve", entry);
  return key;
}

/// Which of the sets of options it has that most requests have, set_own()'s apart; 0 if it is not like most.
std::uint8_t HttpTransfer::recipe() const {
  const bool like_most = request_.method == "GET" && !request_.body && request_.parts.empty() &&
                         request_.headers.empty() && request_.conditions.empty() &&
                         request_.transport->limit_rate == 0 &&
                         connection_key(*request_.transport, request_.headers).empty();
  if (!like_most) return 0;
  return !http2_ ? 1 : waits_for_connection() ? 2 : 3;
}

/// Whether it rather waits for a connection that is being made than make one of its own. On plain http, which
/// stays HTTP/1.1, it would make every request wait for the first one's answer.
bool HttpTransfer::waits_for_connection() const { return http2_ && request_.url.starts_with("https:"); }

void HttpTransfer::set_transport(const TrustSource& trust) {
  CURL* const easy = handle_.easy.get();
  const Transport& how = *request_.transport;
  const bool own = !how.authorities.empty();
  set(easy, CURLOPT_CAINFO, own ? how.authorities.c_str() : or_null(trust.file));
  set(easy, CURLOPT_CAPATH, own ? nullptr : or_null(trust.directory));
  if (how.insecure) {
    set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (how.certificate) {
    const ClientCertificate& own_certificate = *how.certificate;
    set(easy, CURLOPT_SSLCERT, own_certificate.certificate.c_str());
    set(easy, CURLOPT_SSLKEY,
        own_certificate.key.empty() ? own_certificate.certificate.c_str() : own_certificate.key.c_str());
  }

  if (http2_) set(easy, CURLOPT_PREREQFUNCTION, &on_connected);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(http2_ ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  if (waits_for_connection()) set(easy, CURLOPT_PIPEWAIT, 1L);

  if (how.proxy) set(easy, CURLOPT_PROXY, how.proxy->c_str());
  if (how.netrc) set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  if (!how.unix_socket.empty()) set(easy, CURLOPT_UNIX_SOCKET_PATH, how.unix_socket.c_str());
  for (const std::string& entry : how.resolve) resolve_.append(entry);
  if (resolve_.get() != nullptr) set(easy, CURLOPT_RESOLVE, resolve_.get());

  if (how.limit_rate == 0) return;
  set(easy, CURLOPT_MAX_RECV_SPEED_LARGE,
      static_cast<curl_off_t>(std::min<std::uint64_t>(how.limit_rate, std::int64_t{1} << 40)));
  // libcurl reads a hundred buffers before it looks at the clock: a second's worth, or 100 KB.
  set(easy, CURLOPT_BUFFERSIZE,
      static_cast<long>(std::clamp<std::uint64_t>(how.limit_rate / 100, 1024, transfer_buffer_size)));
}

}  // namespace gather::net
