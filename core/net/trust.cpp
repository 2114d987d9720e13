#include "core/net/trust.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace gather::net {
namespace {

std::string from_environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// OpenSSL finds a certificate under the hash of its subject: `5ad8a5d6.0`.
bool holds_hashed_certificates(const std::string& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".0") return true;
  return false;
}

}  // namespace

TrustSource find_trust(const BuiltInTrust& built_in) {
  for (const char* const name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
    if (std::string file = from_environment(name); !file.empty()) return {std::move(file), ""};
  if (std::string directory = from_environment("SSL_CERT_DIR"); !directory.empty())
    return {"", std::move(directory)};
  if (!built_in.directory.empty() && holds_hashed_certificates(built_in.directory))
    return {"", built_in.directory};
  return {built_in.file, ""};
}

}  // namespace gather::net
