#include "tests/unit/net/client_run.hpp"
#include "tests/unit/net/full_listener.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

Reply half_a_body(const ScriptedServer::Request&) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", Then::stall};
}
Reply nothing(const ScriptedServer::Request&) { return {"", Then::stall}; }

}  // namespace

TEST_CASE("the total limit ends a request without an answer", "[net][client][timeout]") {
  const ScriptedServer server(nothing);
  Loop loop;
  ClientSession session(loop, {.timeout = {.total = 40ms}});
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(server.url()); }) ==
        "ServerTimeoutError: no whole answer from HOST within 40 ms");
  CHECK(eventually([&] { return server.open_connections() == 0; }));
}

TEST_CASE("the total limit ends a body, after what has come", "[net][client][timeout]") {
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop);
  std::string read;
  CHECK(error_of(loop, [&]() -> Co<> {
          auto answer = co_await session.get(server.url(), {.timeout = ClientTimeout{.total = 300ms}});
          while (const auto piece = co_await answer.read_some()) read += *piece;
        }) == "ServerTimeoutError: no whole answer from HOST within 300 ms");
  CHECK(read == "hello");
}

TEST_CASE("the total limit closes the connection of a response that nobody reads", "[net][client][timeout]") {
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop, {.timeout = {.total = 300ms}});
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    CHECK(co_await soon([&] { return server.open_connections() == 0; }));
    CHECK(co_await answer.read_some() == "hello");
    CHECK_THROWS_AS(co_await answer.read_some(), ServerTimeoutError);
  });
}

TEST_CASE("the total limit spans redirects", "[net][client][timeout]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return request.target == "/" ? Reply{response(302, "", "Location: /next\r\n")} : nothing(request);
  });
  Loop loop;
  ClientSession session(loop, {.timeout = {.total = 40ms}});
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(server.url()); }) ==
        "ServerTimeoutError: no whole answer from HOST within 40 ms");
}

TEST_CASE("sock_read is the longest silence, before the head and in the body", "[net][client][timeout]") {
  const ScriptedServer silent(nothing), halting(half_a_body);
  Loop loop;
  ClientSession session(loop, {.timeout = {.sock_read = 40ms}});
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(silent.url()); }) ==
        "ServerTimeoutError: HOST sent nothing for 40 ms");
  CHECK(error_of(loop, [&]() -> Co<> {
          auto answer = co_await session.get(halting.url());
          co_await answer.read();
        }) == "ServerTimeoutError: HOST sent nothing for 40 ms");
}

TEST_CASE("the time that a body waits for its reader is not the server's silence", "[net][client][timeout]") {
  const std::string body(2'000'000, 'x');
  const ScriptedServer server([&](const ScriptedServer::Request&) { return Reply{response(200, body)}; });
  Loop loop;
  ClientSession session(loop, {.timeout = {.sock_read = 400ms}});
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    co_await async::sleep(900ms);
    CHECK((co_await answer.read()).size() == body.size());
  });
}

TEST_CASE("sock_connect limits how long a connection may take", "[net][client][timeout]") {
  const FullListener listener;
  Loop loop;
  ClientSession session(loop, {.timeout = {.sock_connect = 40ms}});
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(listener.url()); }) ==
        "ServerTimeoutError: no connection to HOST within 40 ms");
}

TEST_CASE("connect limits the wait for leave to connect and the connecting", "[net][client][timeout]") {
  const FullListener listener;
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop, {.limit_per_host = 1, .timeout = {.connect = 40ms}});
  CHECK(error_of(loop, [&]() -> Co<> { co_await session.get(listener.url()); }) ==
        "ServerTimeoutError: no connection to HOST within 40 ms");
  CHECK(error_of(loop, [&]() -> Co<> {
          auto held = co_await session.get(server.url());
          co_await session.get(server.url());
        }) == "ServerTimeoutError: no connection to HOST was free within 40 ms");
  CHECK(server.connections() == 1);
}

TEST_CASE("the total limit ends the wait for leave to connect", "[net][client][timeout]") {
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop, {.limit = 1});
  CHECK(error_of(loop, [&]() -> Co<> {
          auto held = co_await session.get(server.url());
          co_await session.get(server.url(), {.timeout = ClientTimeout{.total = 30ms}});
        }) == "ServerTimeoutError: no connection to HOST was free within 30 ms");
}
