#include "tests/unit/net/client_run.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

/// So many pieces of so many bytes, each after a moment.
BodySource pieces(int count, std::size_t size) {
  return [left = count, size]() mutable -> Co<std::optional<std::string>> {
    co_await async::sleep(1ms);
    if (left-- == 0) co_return std::nullopt;
    co_return std::string(size, static_cast<char>('a' + left % 26));
  };
}

Reply sizes(const ScriptedServer::Request& request) {
  return {response(200, std::to_string(request.body.size()))};
}

}  // namespace

TEST_CASE("a body is sent while it is made, in chunks or of a known length", "[net][client][upload]") {
  const ScriptedServer server(sizes);
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto chunked = co_await session.post(server.url(), {.body = stream_body(pieces(20, 5000))});
    CHECK(co_await chunked.text() == "100000");
    auto sized = co_await session.put(server.url(), {.body = stream_body(pieces(20, 5000), 100000)});
    CHECK(co_await sized.text() == "100000");
    auto empty = co_await session.post(server.url(), {.body = stream_body(pieces(0, 1))});
    CHECK(co_await empty.text() == "0");
  });
  CHECK(server.requests().at(0).method == "POST");
  CHECK(server.requests().at(0).headers.at("transfer-encoding") == "chunked");
  CHECK(server.requests().at(0).body.substr(0, 5000) == std::string(5000, 't'));
  CHECK(server.requests().at(1).method == "PUT");
  CHECK(server.requests().at(1).headers.at("content-length") == "100000");
}

TEST_CASE("a body that can't be made ends the request with its error", "[net][client][upload]") {
  const ScriptedServer server(sizes);
  Loop loop;
  ClientSession session(loop);
  const auto broken = [](int after) -> BodySource {
    return [left = after]() mutable -> Co<std::optional<std::string>> {
      if (left-- == 0) throw std::runtime_error("no more");
      co_return std::string("piece");
    };
  };
  for (const int after : {0, 1, 3})
    CHECK_THROWS_WITH(
        within(loop,
               [&]() -> Co<> { co_await session.post(server.url(), {.body = stream_body(broken(after))}); }),
        "no more");
  CHECK(eventually([&] { return server.open_connections() == 0; }));
  CHECK(server.requests().empty());
}

TEST_CASE("a body shorter or longer than its length is no request", "[net][client][upload]") {
  const ScriptedServer server(sizes);
  Loop loop;
  ClientSession session(loop);

  const auto send = [&](std::uint64_t length) {
    within(loop, [&]() -> Co<> {
      co_await session.post(server.url(), {.body = stream_body(pieces(3, 10), length)});
    });
  };
  CHECK_THROWS_WITH(send(100), "a body of 100 bytes was announced, and 30 were made");
  CHECK_THROWS_WITH(send(15), "a body of 15 bytes was announced, and at least 20 were made");
  CHECK(server.requests().empty());
}

TEST_CASE("the total limit ends a body that is not made in time", "[net][client][upload]") {
  const ScriptedServer server(sizes);
  Loop loop;
  ClientSession session(loop, {.timeout = {.total = 40ms}});
  const auto never = []() -> Co<std::optional<std::string>> {
    co_await async::sleep(1h);
    co_return std::nullopt;
  };
  CHECK(error_of(loop, [&]() -> Co<> {
          co_await session.post(server.url(), {.body = stream_body(never)});
        }) == "ServerTimeoutError: no whole answer from HOST within 40 ms");
}

TEST_CASE("a streamed body can't follow a redirect, unless that becomes a GET", "[net][client][upload]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.target == "/303") return Reply{response(303, "", "Location: /there\r\n")};
    if (request.target == "/307") return Reply{response(307, "", "Location: /there\r\n")};
    return Reply{response(200, request.method)};
  });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.post(server.url("/303"), {.body = stream_body(pieces(2, 10))});
    CHECK(co_await answer.text() == "GET");
  });
  CHECK(error_of(loop, [&]() -> Co<> {
          co_await session.post(server.url("/307"), {.body = stream_body(pieces(2, 10))});
        }) == "RedirectError: HOST redirects, and the body can't be sent a second time");
}

TEST_CASE("a server that says no early ends the upload", "[net][client][upload]") {
  ScriptedServer server(sizes);
  server.greet("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.post(server.url(), {.body = stream_body(pieces(100'000, 10))});
    CHECK(answer.status() == 413);
    CHECK(co_await answer.text() == "no");
  });
  CHECK(server.requests().empty());
}
