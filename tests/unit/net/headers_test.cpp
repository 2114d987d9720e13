#include "core/net/headers.hpp"

#include <catch2/catch.hpp>

using gather::net::Headers;

TEST_CASE("a header is found whatever the case of its name", "[net][headers]") {
  const Headers headers{{"Content-Type", "text/plain"}, {"Set-Cookie", "a"}, {"set-cookie", "b"}};
  CHECK(headers.get("content-TYPE") == "text/plain");
  CHECK(headers.get("Set-Cookie") == "a");
  CHECK(headers.get_all("SET-COOKIE") == std::vector<std::string_view>{"a", "b"});
  CHECK_FALSE(headers.get("Content").has_value());
  CHECK(headers.get("Content", "none") == "none");
}

TEST_CASE("setting a header takes the place of all of its name", "[net][headers]") {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  headers.set("a", "4");
  CHECK(headers == Headers{{"B", "2"}, {"a", "4"}});
  headers.add("b", "5");
  CHECK(headers.erase("B") == 2);
  CHECK(headers == Headers{{"a", "4"}});
}

TEST_CASE("a header may be made of another one's value", "[net][headers]") {
  Headers headers{{"A", std::string(2000, 'x')}};
  headers.add("B", *headers.get("A"));
  headers.set("A", *headers.get("B"));
  CHECK(headers == Headers{{"B", std::string(2000, 'x')}, {"A", std::string(2000, 'x')}});
}

TEST_CASE("a folded value is one line, also if all of it stands on the second", "[net][headers]") {
  Headers headers{{"A", "1"}};
  headers.extend_last("2");
  headers.add("ETag", "");
  headers.extend_last("\"v1\"");
  CHECK(headers == Headers{{"A", "1 2"}, {"ETag", "\"v1\""}});
}
