#include "core/net/redirect.hpp"

#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::net;
using namespace gather::test;

namespace {

using Reply = ScriptedServer::Reply;

std::string leading_to(std::string_view location, int status = 302) {
  return response(status, "moved", fmt::format("Location: {}\r\n", location));
}

/// "METHOD url header=value … body", or why not.
std::string next_hop(const Request& request, int status, std::string_view location) {
  const auto next = redirected(request, request, status, location);
  if (!next) return next.error().why;
  std::string text = next->method + " " + next->url;
  for (const auto& [name, value] : next->headers) text += fmt::format(" {}={}", name, value);
  return next->body ? text + " " + *next->body : text;
}

}  // namespace

TEST_CASE("a redirect is followed, and its own body is not the result", "[net][redirect]") {
  const Folder folder;
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return Reply{request.target == "/old" ? leading_to("new") : response(200, "hello")};
  });
  CHECK(fetch({.url = server.url("/old"), .output = folder / "page.txt"}) == "200, 5 bytes");
  CHECK(folder.read("page.txt") == "hello");
  CHECK(server.requests().at(1).target == "/new");
  CHECK(server.connections() == 1);
}

TEST_CASE("C51: ten redirects are followed, and no more", "[net][redirect]") {
  const ScriptedServer endless([](const ScriptedServer::Request&) { return Reply{leading_to("/again")}; });
  CHECK(fetch({.url = endless.url()}) == "redirect: HOST redirected 11 times, the last time to HOST");
  CHECK(endless.requests().size() == 11);

  int left = 10;
  const ScriptedServer ten([&](const ScriptedServer::Request&) {
    return Reply{left-- > 0 ? leading_to("/again") : response(200, "there")};
  });
  CHECK(fetch({.url = ten.url()}) == "200, 5 bytes");
}

TEST_CASE("C52: a redirect to what is neither http nor https is refused", "[net][redirect]") {
  for (const char* location : {"ftp://127.0.0.1/x", "file:///etc/passwd", "gopher://127.0.0.1/"}) {
    const ScriptedServer server([&](const ScriptedServer::Request&) { return Reply{leading_to(location)}; });
    CHECK(fetch({.url = server.url()}).starts_with("redirect: HOST redirects to \""));
  }
}

TEST_CASE("C53: own headers stay with their origin", "[net][redirect]") {
  const ScriptedServer other([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  const ScriptedServer server([&](const ScriptedServer::Request& request) {
    return Reply{leading_to(request.target == "/" ? "/same" : other.url())};
  });
  CHECK(fetch({.url = server.url(), .headers = {{"X-Token", "secret"}, {"Authorization", "Bearer x"}}}) ==
        "200, 5 bytes");
  CHECK(server.requests().at(1).headers.at("x-token") == "secret");
  const auto sent = other.requests().at(0).headers;
  CHECK_FALSE(sent.contains("x-token"));
  CHECK_FALSE(sent.contains("authorization"));
}

TEST_CASE("303 after a POST is a GET without the body", "[net][redirect]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return Reply{request.target == "/form" ? leading_to("/done", 303) : response(200, "hello")};
  });
  CHECK(fetch({.url = server.url("/form"), .method = "POST", .body = "a=b"}) == "200, 5 bytes");
  CHECK(server.requests().at(0).headers.at("content-length") == "3");
  const auto second = server.requests().at(1);
  CHECK(second.method == "GET");
  CHECK_FALSE(second.headers.contains("content-length"));
}

TEST_CASE("a redirect status that is expected is not followed", "[net][redirect]") {
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{leading_to("/again")}; });
  CHECK(fetch({.url = server.url(), .expected = {302}}) == "302, 5 bytes");
}

TEST_CASE("a redirect status without a location is an answer", "[net][redirect]") {
  const ScriptedServer server(
      [](const ScriptedServer::Request&) { return Reply{response(302, "where to?")}; });
  CHECK(fetch({.url = server.url()}) == "status 302: where to?");
}

TEST_CASE("the next hop has the method that browsers give it", "[net][redirect]") {
  const Request post{"http://a.test/", "POST", {{"Content-Type", "text/plain"}, {"X", "1"}}, "text", {}};
  CHECK(next_hop(post, 301, "http://a.test/b") == "GET http://a.test/b X=1");
  CHECK(next_hop(post, 302, "http://a.test/b") == "GET http://a.test/b X=1");
  CHECK(next_hop(post, 303, "http://a.test/b") == "GET http://a.test/b X=1");
  CHECK(next_hop(post, 307, "http://a.test/b") == "POST http://a.test/b Content-Type=text/plain X=1 text");
  CHECK(next_hop(post, 308, "http://b.test/b") == "POST http://b.test/b Content-Type=text/plain text");
  const Request put{"http://a.test/", "PUT", {}, "text", {}};
  CHECK(next_hop(put, 302, "http://a.test/b") == "PUT http://a.test/b text");
  CHECK(next_hop(put, 303, "http://a.test/b") == "GET http://a.test/b");
  const Request head{"http://a.test/", "HEAD", {}, std::nullopt, {}};
  CHECK(next_hop(head, 303, "http://a.test/b") == "HEAD http://a.test/b");
}

TEST_CASE("an origin is scheme, host and port", "[net][redirect]") {
  const Request request{"https://a.test/", "GET", {{"X", "1"}}, std::nullopt, {}};
  CHECK(next_hop(request, 302, "https://A.TEST:443/b") == "GET https://A.TEST:443/b X=1");
  CHECK(next_hop(request, 302, "https://a.test:444/b") == "GET https://a.test:444/b");
  CHECK(next_hop(request, 302, "https://b.a.test/b") == "GET https://b.a.test/b");
  CHECK(next_hop(request, 302, "http://a.test/b") ==
        "a.test redirects to \"http://a.test/b\", which would leave the secure connection");
  CHECK(next_hop(request, 302, "ftp://a.test/b") ==
        "a.test redirects to \"ftp://a.test/b\", and only http and https are followed");
  CHECK(next_hop(request, 302, "http://") == "a.test redirects to \"http://\", which is no URL");
}
