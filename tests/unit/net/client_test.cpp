#include "tests/unit/net/client_run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <stdexcept>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;

namespace {

ScriptedServer::Script saying(std::string bytes) {
  return [bytes](const ScriptedServer::Request&) { return Reply{bytes}; };
}

/// Says what it was asked: the method, the target and the body.
Reply echo(const ScriptedServer::Request& request) {
  return {response(200, request.method + " " + request.target + " " + request.body)};
}

std::string leading_to(std::string_view location, int status = 302) {
  return response(status, "moved", fmt::format("Location: {}\r\n", location));
}

}  // namespace

TEST_CASE("a response has status, reason, headers and body", "[net][client]") {
  const ScriptedServer server(
      saying("HTTP/1.1 404 Not Found\r\nContent-Type: Text/Plain; charset=utf-8\r\nSet-Cookie: a\r\n"
             "set-cookie: b\r\nContent-Length: 5\r\n\r\nhello"));
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url("/page"));
    CHECK(answer.status() == 404);
    CHECK(answer.reason() == "Not Found");
    CHECK_FALSE(answer.ok());
    CHECK(answer.content_length() == 5);
    CHECK(answer.content_type() == "text/plain");
    CHECK(answer.headers().get_all("Set-Cookie") == std::vector<std::string_view>{"a", "b"});
    CHECK(answer.url() == server.url("/page"));
    CHECK(co_await answer.text() == "hello");
    CHECK(co_await answer.text() == "hello");  // Once read, it is kept.
    CHECK(answer.at_eof());
  });
}

TEST_CASE("every method is sent with its body", "[net][client]") {
  const ScriptedServer server(echo);
  Loop loop;
  ClientSession session(loop);
  const auto ask = [&](Co<ClientResponse> asked) {
    return within(loop, [&]() -> Co<std::string> {
      auto answer = co_await std::move(asked);
      co_return co_await answer.text();
    });
  };
  CHECK(ask(session.get(server.url("/x"))) == "GET /x ");
  CHECK(ask(session.post(server.url("/x"), {.body = "text"})) == "POST /x text");
  CHECK(ask(session.put(server.url("/x"), {.body = "text"})) == "PUT /x text");
  CHECK(ask(session.patch(server.url("/x"), {.body = "text"})) == "PATCH /x text");
  CHECK(ask(session.delete_(server.url("/x"))) == "DELETE /x ");
  CHECK(ask(session.options(server.url("/x"))) == "OPTIONS /x ");
  CHECK(ask(session.request("PROPFIND", server.url("/x"))) == "PROPFIND /x ");
  CHECK(ask(session.post(server.url("/x"))) == "POST /x ");
  CHECK(server.requests().back().headers.at("content-length") == "0");
}

TEST_CASE("the answer to HEAD has a length and no body", "[net][client]") {
  const ScriptedServer server(saying("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.head(server.url());
    CHECK(answer.content_length() == 1000);
    CHECK((co_await answer.read()).empty());
  });
  CHECK(server.requests().at(0).method == "HEAD");
}

TEST_CASE("JSON goes out and comes in", "[net][client]") {
  const ScriptedServer server(
      [](const ScriptedServer::Request& request) { return Reply{response(200, request.body)}; });
  Loop loop;
  ClientSession session(loop);
  const nlohmann::json document{{"name", "gather"}, {"parts", {1, 2, 3}}};
  const auto echoed = within(loop, [&]() -> Co<nlohmann::json> {
    auto answer = co_await session.post(server.url(), {.body = json_body(document.dump())});
    co_return co_await answer.json<nlohmann::json>();
  });
  CHECK(echoed == document);
  CHECK(server.requests().at(0).headers.at("content-type") == "application/json");
}

TEST_CASE("text that is no JSON throws what its parser throws", "[net][client]") {
  const ScriptedServer server(saying(response(200, "{")));
  Loop loop;
  ClientSession session(loop);
  CHECK_THROWS_AS(within(loop,
                         [&]() -> Co<> {
                           auto answer = co_await session.get(server.url());
                           co_await answer.json<nlohmann::json>();
                         }),
                  nlohmann::json::parse_error);
}

TEST_CASE("a form is encoded", "[net][client]") {
  const ScriptedServer server(echo);
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    co_await session.post(server.url(), {.body = form_body({{"name", "a b"}, {"also", "&"}})});
  });
  CHECK(server.requests().at(0).body == "name=a%20b&also=%26");
  CHECK(server.requests().at(0).headers.at("content-type") == "application/x-www-form-urlencoded");
}

TEST_CASE("the session's base URL, headers and query go with each request", "[net][client]") {
  const ScriptedServer server(echo);
  Loop loop;
  ClientSession session(
      loop, {.headers = {{"Accept", "text/x"}, {"X-Who", "session"}}, .base_url = server.url("/v1/")});
  within(loop, [&]() -> Co<> {
    co_await session.get("items?a=1", {.headers = {{"x-who", "request"}}, .query = {{"b", "2"}}});
  });
  const auto request = server.requests().at(0);
  CHECK(request.target == "/v1/items?a=1&b=2");
  CHECK(request.headers.at("accept") == "text/x");
  CHECK(request.headers.at("x-who") == "request");
  CHECK_FALSE(request.headers.contains("accept-encoding"));
}

TEST_CASE("user and password become a header, from the URL or the options", "[net][client]") {
  const ScriptedServer server(echo);
  Loop loop;
  ClientSession session(loop, {.auth = BasicAuth{"session", "x"}});
  within(loop, [&]() -> Co<> {
    co_await session.get("http://Aladdin:open%20sesame@" + server.host() + "/");
    co_await session.get(server.url(), {.auth = BasicAuth{"a", "b"}});
    co_await session.get(server.url());
  });
  CHECK(server.requests().at(0).headers.at("authorization") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(server.requests().at(1).headers.at("authorization") == "Basic YTpi");
  CHECK(server.requests().at(2).headers.at("authorization") == "Basic c2Vzc2lvbjp4");
}

TEST_CASE("redirects are followed, and the response knows where it came from", "[net][client]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.target == "/old") return Reply{leading_to("new?x=1")};
    return Reply{response(200, request.method)};
  });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.post(server.url("/old"), {.body = "a=b"});
    CHECK(answer.url() == server.url("/new?x=1"));
    CHECK(co_await answer.text() == "GET");
    auto stay = co_await session.get(server.url("/old"), {.allow_redirects = false});
    CHECK(stay.status() == 302);
    CHECK(stay.headers().get("location") == "new?x=1");
    CHECK((co_await session.head(server.url("/old"))).status() == 302);
  });
  CHECK(server.connections() == 1);
}

TEST_CASE("own headers stay with their origin on a redirect", "[net][client]") {
  const ScriptedServer other(echo);
  const ScriptedServer server([&](const ScriptedServer::Request&) { return Reply{leading_to(other.url())}; });
  Loop loop;
  ClientSession session(loop, {.headers = {{"X-Token", "secret"}}});
  within(loop, [&]() -> Co<> { co_await session.get(server.url(), {.auth = BasicAuth{"a", "b"}}); });
  CHECK(server.requests().at(0).headers.at("x-token") == "secret");
  CHECK_FALSE(other.requests().at(0).headers.contains("x-token"));
  CHECK_FALSE(other.requests().at(0).headers.contains("authorization"));
}

TEST_CASE("redirects end: too many, or to where we do not go", "[net][client]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return Reply{leading_to(request.target == "/ftp" ? "ftp://a.test/" : "/again")};
  });
  Loop loop;
  ClientSession session(loop);
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(server.url(), {.max_redirects = 2}); }) ==
        "TooManyRedirects: HOST redirected 3 times");
  CHECK(server.requests().size() == 3);
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(server.url("/ftp")); }) ==
        "RedirectError: HOST redirects to \"ftp://a.test/\", and only http and https are followed");
}

TEST_CASE("the long body of a redirect is not read to its end", "[net][client]") {
  const std::string long_body(8'000'000, 'x');
  const ScriptedServer server([&](const ScriptedServer::Request& request) {
    return Reply{request.target == "/" ? response(302, long_body, "Location: /to\r\n")
                                       : response(200, "hello")};
  });
  Loop loop;
  ClientSession session(loop);
  CHECK(within(loop, [&]() -> Co<std::string> {
          auto answer = co_await session.get(server.url());
          co_return co_await answer.text();
        }) == "hello");
  CHECK(server.connections() == 2);
}

TEST_CASE("raise_for_status throws from 400 on, and says what for", "[net][client]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return Reply{response(request.target.starts_with("/missing") ? 404 : 503, "no", "Retry-After: 7\r\n")};
  });
  Loop loop;
  ClientSession session(loop);
  ClientSession strict(loop, {.raise_for_status = true});
  const std::string url = "http://me:pass@" + server.host() + "/missing?token=secret";
  try {
    within(loop, [&]() -> Co<> { (co_await session.get(url)).raise_for_status(); });
    FAIL("it did not throw");
  } catch (const ClientResponseError& error) {
    CHECK(describe(error) == "ClientResponseError: http://HOST/missing answered 404 Word");
    CHECK(error.url() == server.url("/missing"));
    CHECK(error.status() == 404);
    CHECK(error.permanent());
    CHECK(error.headers().get("retry-after") == "7");
  }
  try {
    within(loop, [&]() -> Co<> { co_await strict.get(server.url()); });
    FAIL("it did not throw");
  } catch (const ClientResponseError& error) {
    CHECK(error.status() == 503);
    CHECK_FALSE(error.permanent());
  }
}

TEST_CASE("what goes wrong is told by class and in a sentence", "[net][client]") {
  Loop loop;
  ClientSession session(loop);
  const auto error = [&](const std::string& url) {
    return error_of(loop, [&]() -> Co<> { co_await session.get(url); });
  };
  CHECK(error("nonsense") == "InvalidURL: \"nonsense\" is no URL of http or https");
  CHECK(error("http://me:pass@") == "InvalidURL: \"http://\" is no URL of http or https");
  CHECK(error("http://127.0.0.1:1/") == "ClientConnectionError: can't connect to HOST: Connection refused");
  const auto answering = [&](const std::string& bytes, Then then) {
    const ScriptedServer server([&](const ScriptedServer::Request&) { return Reply{bytes, then}; });
    return error(server.url());
  };
  CHECK(answering("", Then::close) ==
        "ServerDisconnectedError: HOST closed the connection before it answered");
  CHECK(answering("HTTP/1.1 200 OK\r\n", Then::close) ==
        "ServerDisconnectedError: HOST closed the connection before it answered");
  CHECK(answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Then::close) ==
        "ClientProtocolError: HOST sent two different lengths, 1 and 2");
  CHECK(
      answering("no HTTP at all\r\n", Then::close).starts_with("ClientProtocolError: HOST sent what is no"));
}

TEST_CASE("a method or header that would become another is refused", "[net][client]") {
  Loop loop;
  ClientSession session(loop);
  const auto ask = [&](std::string method, Headers headers) {
    within(loop,
           [&]() -> Co<> { co_await session.request(method, "http://127.0.0.1:1/", {.headers = headers}); });
  };
  CHECK_THROWS_AS(ask("GET /x", {}), std::invalid_argument);
  CHECK_THROWS_AS(ask("GET", {{"X", "1\r\nY: 2"}}), std::invalid_argument);
}
