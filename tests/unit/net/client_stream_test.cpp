#include "tests/unit/net/client_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

constexpr std::size_t most_buffered = 64 * 1024 + 100 * 1024;  // read_bufsize, and one piece of libcurl's.

/// Bytes of which no stretch is like another, so that a lost or doubled piece shows.
std::string counted(std::size_t size) {
  std::string bytes(size, ' ');
  for (std::size_t at = 0; at + 8 <= size; at += 8)
    for (std::size_t digit = 0; digit < 8; ++digit)
      bytes[at + digit] = static_cast<char>('A' + (at >> (4 * digit) & 15U));
  return bytes;
}

/// What comes before the failure, then the failure.
std::string read_until_error(Loop& loop, ClientSession& session, const std::string& url) {
  std::string text;
  const std::string error = error_of(loop, [&]() -> Co<> {
    auto answer = co_await session.get(url);
    while (const auto piece = co_await answer.read_some()) text += *piece;
  });
  return text + " | " + error;
}

}  // namespace

TEST_CASE("a response is there before its body", "[net][client][stream]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", Then::stall};
  });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    CHECK(answer.content_length() == 1000);
    CHECK(co_await answer.read_some(2) == "he");
    CHECK(co_await answer.read_some() == "llo");
    CHECK_FALSE(answer.at_eof());
  });
}

TEST_CASE("C65: a reader that does not read stops the server, and loses nothing", "[net][client][stream]") {
  const std::string body = counted(40'000'000);
  const ScriptedServer server([&](const ScriptedServer::Request&) { return Reply{response(200, body)}; });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    // The kernel's buffers fill; then nothing moves.
    std::size_t before = 0;
    for (int still = 0; still < 50; ++still) {
      if (server.sent() != before) still = 0;
      before = server.sent();
      co_await async::sleep(1ms);
    }
    CHECK(server.sent() > 0);
    CHECK(server.sent() < body.size() / 2);
    CHECK(answer.buffered() <= most_buffered);
    std::string read;
    std::size_t peak = 0;
    while (const auto piece = co_await answer.read_some()) {
      read += *piece;
      peak = std::max(peak, answer.buffered());
      co_await async::yield();
    }
    CHECK(peak <= most_buffered);
    CHECK((read == body));
  });
}

TEST_CASE("a slow reader of chunks gets every byte", "[net][client][stream]") {
  const std::string body = counted(3'000'000);
  const ScriptedServer server(
      [&](const ScriptedServer::Request&) { return Reply{chunked_response(body, 1000)}; });
  Loop loop;
  ClientSession session(loop, {.read_bufsize = 1000});
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    CHECK_FALSE(answer.content_length().has_value());
    std::string read;
    for (int i = 0; const auto piece = co_await answer.read_some(7777); ++i) {
      read += *piece;
      if (i % 50 == 0) co_await async::sleep(1ms);
    }
    CHECK((read == body));
    CHECK((co_await answer.read()).empty());  // Nothing is left.
    auto again = co_await session.get(server.url());
    CHECK((co_await again.read() == body));
  });
  CHECK(server.connections() == 1);
}

TEST_CASE("one slow reader does not hold up the others", "[net][client][stream]") {
  const std::string body(20'000'000, 'x');
  const ScriptedServer server([&](const ScriptedServer::Request& request) {
    return Reply{response(200, request.target == "/long" ? body : "short")};
  });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto held = co_await session.get(server.url("/long"));
    for (int i = 0; i < 20; ++i) {
      auto answer = co_await session.get(server.url("/short"));
      CHECK(co_await answer.text() == "short");
    }
    CHECK((co_await held.read()).size() == body.size());
  });
  CHECK(server.connections() == 2);
}

TEST_CASE("a body is a sequence of chunks", "[net][client][stream]") {
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    std::string read;
    auto chunks = answer.chunks(2);
    while (const auto chunk = co_await chunks.next()) read += *chunk + "|";
    CHECK(read == "he|ll|o|");
    CHECK(answer.at_eof());
  });
}

TEST_CASE("read() takes what read_some() left", "[net][client][stream]") {
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    CHECK(co_await answer.read_some(2) == "he");
    CHECK(co_await answer.read() == "llo");
    CHECK(co_await answer.read_some() == std::nullopt);
    CHECK(co_await (co_await session.get(server.url())).text() == "hello");
  });
}

TEST_CASE("a body that is cut gives what came, and then the error", "[net][client][stream]") {
  Loop loop;
  ClientSession session(loop);
  const auto reading = [&](const std::string& bytes, Then then) {
    const ScriptedServer server([&](const ScriptedServer::Request&) { return Reply{bytes, then}; });
    return read_until_error(loop, session, server.url());
  };
  CHECK(reading("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", Then::close) ==
        "hello | ClientPayloadError: HOST closed the connection after 5 of 1000 bytes");
  CHECK(reading(chunked_response("hello", 5, false), Then::close) ==
        "hello | ClientPayloadError: HOST closed the connection after 5 bytes, before the end of the body");
  CHECK(reading("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Then::close)
            .starts_with(" | ClientPayloadError: HOST sent what is no proper answer: "));
  CHECK(reading("HTTP/1.1 200 OK\r\n\r\nhello", Then::close) == "hello | no error");
}

TEST_CASE("what is cut while it waits for its reader is told at its end", "[net][client][stream]") {
  const std::string body = counted(1'000'000);
  const ScriptedServer server([&](const ScriptedServer::Request&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + body, Then::close};
  });
  Loop loop;
  ClientSession session(loop);
  CHECK(within(loop, [&]() -> Co<std::size_t> {
          auto answer = co_await session.get(server.url());
          co_await soon([&] { return server.open_connections() == 0; });
          std::size_t count = 0;
          try {
            while (const auto piece = co_await answer.read_some()) count += piece->size();
          } catch (const ClientPayloadError&) {
          }
          co_return count;
        }) == body.size());
}

TEST_CASE("trailers are no headers", "[net][client][stream]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return Reply{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"};
  });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    CHECK(co_await answer.text() == "hello");
    CHECK_FALSE(answer.headers().contains("content-length"));
  });
}
