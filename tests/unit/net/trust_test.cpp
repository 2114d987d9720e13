#include "core/net/trust.hpp"

#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using gather::net::find_trust;
using gather::net::TrustSource;
using gather::test::Folder;

namespace {

/// Without what the machine sets, and with nothing left behind.
struct CleanEnvironment {
  CleanEnvironment() { clear(); }
  ~CleanEnvironment() { clear(); }
  static void clear() {
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) unsetenv(name);
  }
};

}  // namespace

TEST_CASE("a directory with hashed certificates is preferred to a file", "[net][trust]") {
  const CleanEnvironment environment;
  const Folder folder;
  folder.write("5ad8a5d6.0", "");
  CHECK(find_trust({"/bundle.pem", folder.path()}) == TrustSource{"", folder.path()});
}

TEST_CASE("a directory without hashed certificates is of no use", "[net][trust]") {
  const CleanEnvironment environment;
  const Folder folder;
  folder.write("some.pem", "");
  CHECK(find_trust({"/bundle.pem", folder.path()}) == TrustSource{"/bundle.pem", ""});
  CHECK(find_trust({"/bundle.pem", folder / "missing"}) == TrustSource{"/bundle.pem", ""});
}

TEST_CASE("the environment names exactly one source", "[net][trust]") {
  const CleanEnvironment environment;
  setenv("SSL_CERT_DIR", "/user/certs", 1);
  CHECK(find_trust({"/bundle.pem", "/certs"}) == TrustSource{"", "/user/certs"});
  setenv("SSL_CERT_FILE", "/user/ssl.pem", 1);
  CHECK(find_trust({"/bundle.pem", "/certs"}) == TrustSource{"/user/ssl.pem", ""});
  setenv("CURL_CA_BUNDLE", "/user/curl.pem", 1);
  CHECK(find_trust({"/bundle.pem", "/certs"}) == TrustSource{"/user/curl.pem", ""});
}
