/// Handles of libcurl's go from one request to the next, some of them with their options.
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Loop;

namespace {

using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

Reply by_path(const ScriptedServer::Request& request) {
  if (request.target == "/reset") return {"", Then::reset};
  if (request.target == "/short") return {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", Then::close};
  if (request.target == "/away") return {"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"};
  if (request.method == "HEAD") return {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"};
  return {response(200, "hello")};
}

/// A request as the server heard it; of a multipart body its length, as each has a boundary of its own.
std::string words(const ScriptedServer::Request& request) {
  std::string said = request.method + " " + request.target;
  for (const auto& [name, value] : request.headers)
    if (name != "host" && !value.starts_with("multipart/")) said += "; " + name + ": " + value;
  return said + "; " + (request.body.starts_with("--") ? std::to_string(request.body.size()) : request.body);
}

/// Requests that are not like most.
std::vector<Download> others() {
  return {{.url = "/mark", .headers = {{"X-Mark", "1"}}},
          {.url = "/post", .method = "POST", .body = "text"},
          {.url = "/head", .method = "HEAD"},
          {.url = "/delete", .method = "DELETE"},
          {.url = "/form", .parts = {{.name = "a", .value = "b"}}},
          {.url = "/small", .compressed = true},
          {.url = "/slow", .transport = Transport{.limit_rate = 1 << 20}},
          {.url = "/two", .transport = Transport{.http = HttpVersion::two}},
          {.url = "/short"},
          {.url = "/away"}};
}

void ask(Loop& loop, Session& session, const ScriptedServer& server, Download what) {
  what.url = server.url(what.url);
  loop.run(download(session, what));
}

/// What a session of its own says for it.
std::vector<std::string> said_alone(const Download& what) {
  const ScriptedServer server(by_path);
  Loop loop;
  Session session(loop);
  ask(loop, session, server, what);
  std::vector<std::string> said;
  for (const auto& request : server.requests()) said.push_back(words(request));
  return said;
}

}  // namespace

TEST_CASE("a request says the same whatever was asked on its handle before", "[net][handle]") {
  const Download plain{.url = "/a"};
  const std::string plain_words = said_alone(plain).front();
  CHECK(plain_words.starts_with("GET /a; accept: */*; user-agent: gather/"));
  for (const Download& other : others()) {
    CAPTURE(other.url);
    // No two at the same time, so each has the handle of the one before.
    const ScriptedServer server(by_path);
    Loop loop;
    Session session(loop);
    std::vector<std::string> expected;
    for (const Download& what : {other, plain, other, other, plain, plain, other, plain}) {
      ask(loop, session, server, what);
      for (const std::string& said : said_alone(what)) expected.push_back(said);
    }
    std::vector<std::string> said;
    for (const auto& request : server.requests()) said.push_back(words(request));
    CHECK(said == expected);
  }
}

TEST_CASE("a URL of any form is asked for the same whatever was asked on its handle before",
          "[net][handle]") {
  const char* const target = GENERATE("", "/", "?x=1", "/a/./b", "/a/../b", "/a/..", "/%41%2e/%2E%2e/x",
                                      "/a%20b", "/\xc3\xa9", "/a;b,c&d=e@f:g", "/a//b", "/a/", "/.hidden",
                                      "/a?x=/../y", "/#f", "/a#f", "/a?x#/y", "/...", "/~u/'(1)*!$+=");
  CAPTURE(target);
  const ScriptedServer server(by_path);
  Loop loop;
  Session session(loop);
  const auto asked_after = [&](const std::string& other) {
    ask(loop, session, server, {.url = other});
    const std::size_t before = server.requests().size();
    ask(loop, session, server, {.url = target});
    REQUIRE(server.requests().size() == before + 1);
    return server.requests().back().target;
  };
  Session unused(loop);
  ask(loop, unused, server, {.url = target});
  const std::string expected = server.requests().back().target;
  CHECK(asked_after("/b/c") == expected);
  CHECK(asked_after("/d?e=f#g") == expected);
}

TEST_CASE("a handle that turns to another host asks that one", "[net][handle]") {
  const ScriptedServer first(by_path);
  const ScriptedServer second(by_path);
  Loop loop;
  Session session(loop);
  for (const ScriptedServer* const server : {&first, &second, &second, &first})
    ask(loop, session, *server, {.url = "/" + std::to_string(server->requests().size())});
  for (const ScriptedServer* const server : {&first, &second}) {
    REQUIRE(server->requests().size() == 2);
    CHECK(server->requests().front().target == "/0");
    CHECK(server->requests().back().target == "/1");
  }
}

TEST_CASE("what is asked once more on a new connection is the URL of this request", "[net][handle]") {
  int closed = 0;
  const ScriptedServer server([&](const ScriptedServer::Request& request) {
    // libcurl can't know yet that the connection it kept is gone, so it asks again by itself.
    if (request.target == "/b" && closed++ == 0) return Reply{"", Then::close};
    return Reply{response(200, request.target)};
  });
  Loop loop;
  Session session(loop);
  ask(loop, session, server, {.url = "/a"});
  const auto fetched = std::get<Fetched>(loop.run(download(session, {.url = server.url("/b")})));
  CHECK(fetched.body == "/b");
  std::vector<std::string> targets;
  for (const auto& request : server.requests()) targets.push_back(request.target);
  CHECK(targets == std::vector<std::string>{"/a", "/b", "/b"});
}

TEST_CASE("a request that fails on a handle that served another tells its own reason", "[net][handle]") {
  const ScriptedServer server(by_path);
  const auto reason = [&](bool after_others, const char* path) {
    Loop loop;
    Session session(loop);
    for (int i = 0; i < (after_others ? 3 : 0); ++i)
      CHECK(describe(loop.run(download(session, {.url = server.url("/a")}))) == "200, 5 bytes");
    return describe(loop.run(download(session, {.url = server.url(path)})));
  };
  for (const char* const path : {"/reset", "/short"}) CHECK(reason(true, path) == reason(false, path));
}

TEST_CASE("each request on a kept handle waits as long as it says", "[net][handle]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return request.target == "/silent" ? Reply{"", Then::stall} : Reply{response(200, "hello")};
  });
  Loop loop;
  Session session(loop);
  CHECK(describe(loop.run(
            download(session, {.url = server.url("/a"), .transport = Transport{.stall_timeout = 10s}}))) ==
        "200, 5 bytes");
  CHECK(describe(loop.run(download(
            session, {.url = server.url("/silent"), .transport = Transport{.stall_timeout = 50ms}}))) ==
        "timeout: HOST sent nothing for 50 ms");
  CHECK(describe(loop.run(
            download(session, {.url = server.url("/a"), .transport = Transport{.stall_timeout = 10s}}))) ==
        "200, 5 bytes");
}

TEST_CASE("a limited rate is kept on a handle that had none", "[net][handle]") {
  const ScriptedServer server(
      [](const ScriptedServer::Request&) { return Reply{response(200, std::string(600'000, 'x'))}; });
  Loop loop;
  Session session(loop);
  CHECK(describe(loop.run(download(session, {.url = server.url()}))) == "200, 600000 bytes");
  const auto began = std::chrono::steady_clock::now();
  CHECK(describe(loop.run(
            download(session, {.url = server.url(), .transport = Transport{.limit_rate = 400'000}}))) ==
        "200, 600000 bytes");
  CHECK(std::chrono::steady_clock::now() - began > 300ms);
}
