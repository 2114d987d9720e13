#include "core/net/url.hpp"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

using namespace gather::net;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string target(const std::string& base, const std::string& url, const Pairs& query = {}) {
  const auto found = target_of(base, url, query);
  return found ? found->url : "none";
}

}  // namespace

TEST_CASE("a URL is resolved against the base", "[net][url]") {
  CHECK(target("", "http://a.test/x") == "http://a.test/x");
  CHECK(target("http://a.test/v1/", "items") == "http://a.test/v1/items");
  CHECK(target("http://a.test/v1/", "/items") == "http://a.test/items");
  CHECK(target("http://a.test/v1/", "https://b.test/") == "https://b.test/");
}

TEST_CASE("only http and https, and only URLs, can be asked for", "[net][url]") {
  for (const char* url : {"", "ftp://a.test/", "file:///etc/passwd", "http://", "/items", "http://a.test:x/"})
    CHECK(target("", url) == "none");
  CHECK(target("", std::string("http://a.test/\0x", 16)) == "none");
}

TEST_CASE("a query is encoded and added to that of the URL", "[net][url]") {
  CHECK(target("", "http://a.test/?a=1", {{"b", "2 &="}, {"ü", ""}}) ==
        "http://a.test/?a=1&b=2%20%26%3d&%c3%bc=");  // libcurl writes small digits.
  CHECK(target("", "http://a.test/x#part", {{"b", "2"}}) == "http://a.test/x?b=2#part");
}

TEST_CASE("user and password are taken out of a URL", "[net][url]") {
  const auto found = target_of("", "http://me:s%40crt@a.test/x", {});
  REQUIRE(found.has_value());
  CHECK(found->url == "http://a.test/x");
  CHECK(found->login == std::pair<std::string, std::string>("me", "s@crt"));
}

TEST_CASE("a URL in a message holds no user, password, query or fragment", "[net][url]") {
  CHECK(without_secrets("http://me:pass@a.test:81/x?token=1#y") == "http://a.test:81/x");
  CHECK(without_secrets("http://me:p@ss@a.test") == "http://a.test");
  CHECK(without_secrets("http://a.test/x@y") == "http://a.test/x@y");
  CHECK(without_secrets("http://a.test/\x1b[2J") == "http://a.test/\\x1b[2J");
  CHECK(without_secrets("me:pass@a.test") == "a.test");
}

TEST_CASE("a redirect's location is resolved as libcurl does it", "[net][url]") {
  CHECK(resolved("http://a.test/x/y?z", "../w") == "http://a.test/w");
  CHECK(resolved("http://a.test/x", "//b.test/w") == "http://b.test/w");
  CHECK(resolved("http://a.test/x", "ftp://b.test/w") == "ftp://b.test/w");
}
