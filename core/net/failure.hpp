/// Why no whole answer came: the kinds of failure, and the sentence for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gather::net {

/// No whole answer came, and this is why.
struct Failure {
  enum class Kind : std::uint8_t {
    dns,        ///< The host's name has no address, or no name server answered.
    connect,    ///< Nobody listens there, or there is no way to it.
    tls,        ///< No secure connection: handshake, certificate, version.
    timeout,    ///< Not connected in time, or no byte for too long.
    truncated,  ///< The connection ended before the answer did.
    too_large,  ///< More bytes than are wanted.
    redirect,   ///< Too many, or to where we do not go.
    protocol,   ///< What came was no HTTP, or contradicted itself.
    local,      ///< Here, not there: no descriptor, no memory.
  };

  Kind kind = Kind::protocol;
  std::string why;  ///< A sentence without a final full stop, inert, that names the host.
  bool permanent =
      false;  ///< Trying again can't help: a certificate that does not match, a refused redirect.
};

/// The word for reports, as in the enumeration.
std::string_view name(Failure::Kind kind);

/// `host` or `host:port` of a URL, inert, for sentences.
std::string host_of(std::string_view url);

/// What is known when libcurl ends a transfer with an error.
struct CurlError {
  int code = 0;           ///< CURLcode, not CURLE_OK.
  int os_error = 0;       ///< errno of a failed connect or receive, or 0.
  std::string_view text;  ///< libcurl's own sentence; may be empty.
};

/// How far the answer had come.
struct Progress {
  bool head = false;           ///< The whole head of the answer was read.
  std::uint64_t received = 0;  ///< Bytes of body.
  std::uint64_t length = 0;    ///< Bytes promised; 0 if unknown.
};

/// The failure that libcurl's `error` means for a request to `url`.
Failure explain(const CurlError& error, const Progress& progress, std::string_view url);

}  // namespace gather::net
