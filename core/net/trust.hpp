/// Whom we trust: where the certificates of authorities are.
#pragma once

#include <string>

namespace gather::net {

/// Exactly one of the two is set, or neither if none is installed.
///
/// With both, libcurl's cache of parsed authorities is off, and every TLS connection parses some 145 of them
/// again: 17 ms of CPU on the loop. A hashed directory is read by need and is cheapest. See
/// core/README.md, "Certificates".
struct TrustSource {
  std::string file;
  std::string directory;

  friend bool operator==(const TrustSource&, const TrustSource&) = default;
};

/// What libcurl was built with; either may be empty.
struct BuiltInTrust {
  std::string file;
  std::string directory;
};

/// CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR, the first of them that is set and not empty; else the
/// built-in directory if it holds hashed certificates; else the built-in file.
TrustSource find_trust(const BuiltInTrust& built_in);

}  // namespace gather::net
