/// Handles of libcurl's go from one request to the next, some of them with their options.
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Loop;

namespace {

using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;
using Headers = std::map<std::string, std::string>;

Reply by_path(const ScriptedServer::Request& request) {
  if (request.target == "/reset") return {"", Then::reset};
  if (request.target == "/short") return {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", Then::close};
  if (request.target == "/away") return {"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"};
  if (request.method == "HEAD") return {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"};
  return {response(200, "hello")};
}

Headers ordinary(const ScriptedServer& server) {
  return {{"accept", "*/*"}, {"host", server.host()}, {"user-agent", "gather/0.1.0"}};
}

}  // namespace

TEST_CASE("a request says nothing of what the one before it said", "[net][handle]") {
  const ScriptedServer server(by_path);
  Loop loop;
  Session session(loop);
  // No two at the same time, so each has the handle of the one before.
  const auto ask = [&](Download what) { return describe(loop.run(download(session, what))); };
  const auto others =
      GENERATE_REF(std::vector<Download>{{.url = server.url("/x"), .headers = {{"X-Mark", "1"}}}},
                   std::vector<Download>{{.url = server.url("/x"), .method = "POST", .body = "text"}},
                   std::vector<Download>{{.url = server.url("/x"), .method = "HEAD"}},
                   std::vector<Download>{{.url = server.url("/x"), .method = "DELETE"}},
                   std::vector<Download>{{.url = server.url("/x"), .parts = {{.name = "a", .value = "b"}}}},
                   std::vector<Download>{{.url = server.url("/x"), .compressed = true}},
                   std::vector<Download>{{.url = server.url("/x"), .transport = {.limit_rate = 1 << 20}}},
                   std::vector<Download>{{.url = server.url("/reset")}},
                   std::vector<Download>{{.url = server.url("/short")}},
                   std::vector<Download>{{.url = server.url("/away")}});
  const Download plain{.url = server.url("/a")};
  for (int round = 0; round < 2; ++round) {
    CHECK(ask(plain) == "200, 5 bytes");
    CHECK(ask(plain) == "200, 5 bytes");
    for (const Download& other : others) ask(other);
  }
  CHECK(ask(plain) == "200, 5 bytes");
  int plain_ones = 0;
  for (const ScriptedServer::Request& request : server.requests()) {
    if (request.target != "/a") continue;
    ++plain_ones;
    CHECK(request.method == "GET");
    CHECK(request.headers == ordinary(server));
    CHECK(request.body.empty());
  }
  CHECK(plain_ones == 5);
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
  CHECK(describe(loop.run(download(
            session, {.url = server.url("/a"), .transport = {.stall_timeout = 10s}}))) == "200, 5 bytes");
  CHECK(describe(loop.run(
            download(session, {.url = server.url("/silent"), .transport = {.stall_timeout = 50ms}}))) ==
        "timeout: HOST sent nothing for 50 ms");
  CHECK(describe(loop.run(download(
            session, {.url = server.url("/a"), .transport = {.stall_timeout = 10s}}))) == "200, 5 bytes");
}
