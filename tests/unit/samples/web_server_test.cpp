#include "core/async/combine/gather.hpp"
#include "core/async/io/server.hpp"
#include "samples/web/http.hpp"
#include "samples/web/site.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::read_all;
using gather::test::run_real;

namespace {

template <class Body>
using BodyOf = std::invoke_result_t<Body&, Loop&, const Server&>;

// Runs `body(loop, server)` while a fresh site is served on a free port.
template <class Body>
auto visit(Body body) {
  return run_real([&](Loop& loop) -> BodyOf<Body> {
    web::Site site;
    co_return co_await with_server(
        gather::test::serve(loop, [&site](Stream stream) { return site.serve(std::move(stream)); }),
        [&](const Server& server) { return body(loop, server); });
  });
}

struct Reply {
  std::string head;  // Ends with the empty line.
  std::string body;

  std::string_view status() const { return std::string_view(head).substr(9, 3); }
};

Co<> send(Stream& stream, std::string_view request, std::string_view headers = "") {
  co_await stream.send(fmt::format("{} HTTP/1.1\r\nHost: test\r\n{}\r\n", request, headers));
}

Co<Reply> receive(Stream& stream, bool has_body = true) {
  Reply reply;
  reply.head = co_await stream.readuntil("\r\n\r\n");
  constexpr std::string_view name = "Content-Length: ";
  const std::size_t at = reply.head.find(name);
  if (has_body && at != std::string::npos)
    reply.body = co_await stream.readexactly(std::stoul(reply.head.substr(at + name.size())));
  co_return reply;
}

// On a connection of its own.
Co<std::string> get(const Server& server, std::string_view path) {
  Stream stream = co_await gather::test::connect(server);
  co_await send(stream, fmt::format("GET {}", path));
  co_return (co_await receive(stream)).body;
}

// What comes for these bytes until the server closes the connection.
std::string answer_to(std::string_view bytes) {
  return visit([&](Loop&, const Server& server) -> Co<std::string> {
    Stream stream = co_await gather::test::connect(server);
    co_await stream.send(bytes);
    stream.write_eof();
    co_return co_await read_all(stream);
  });
}

}  // namespace

TEST_CASE("a connection is kept for the next request, also after an error status", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream stream = co_await gather::test::connect(server);
    co_await send(stream, "GET /status/500");
    CHECK((co_await receive(stream)).head ==
          "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\n");
    co_await send(stream, "GET /delay/1/tea");
    CHECK((co_await receive(stream)).body == "tea after 1 ms\n");
    co_await send(stream, "GET /nothing", "Connection: close\r\n");
    const Reply last = co_await receive(stream);
    CHECK(last.status() == "404");
    CHECK_THAT(last.head, Catch::Contains("\r\nConnection: close\r\n"));
    CHECK(co_await stream.read(1000) == "");
  });
}

TEST_CASE("requests sent ahead are answered in order; a delay loses none", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream stream = co_await gather::test::connect(server);
    co_await stream.send(
        "GET /delay/20/first HTTP/1.1\r\nHost: test\r\n\r\nGET /delay/0/second HTTP/1.1\r\nHost: "
        "test\r\n\r\n");
    CHECK((co_await receive(stream)).body == "first after 20 ms\n");
    CHECK((co_await receive(stream)).body == "second after 0 ms\n");
  });
}

TEST_CASE("HEAD gives the headers of GET and no body", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream stream = co_await gather::test::connect(server);
    co_await send(stream, "HEAD /bytes/100000");
    CHECK_THAT((co_await receive(stream, false)).head, Catch::Contains("Content-Length: 100000\r\n"));
    co_await send(stream, "GET /bytes/3");
    CHECK((co_await receive(stream)).body == std::string("\0\1\2", 3));
  });
}

TEST_CASE("echo gives back method, headers and body", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream stream = co_await gather::test::connect(server);
    co_await send(stream, "POST /echo?a=1", "X-Colour:  red \r\nContent-Length: 5\r\n");
    co_await stream.send("hello");
    CHECK((co_await receive(stream)).body ==
          "POST /echo?a=1 HTTP/1.1\nHost: test\nX-Colour: red\nContent-Length: 5\n\nhello");
  });
}

TEST_CASE("a client that asks first is told to go on with its body", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream stream = co_await gather::test::connect(server);
    co_await send(stream, "PUT /echo", "Content-Length: 2\r\nExpect: 100-continue\r\n");
    CHECK(co_await stream.readuntil("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    co_await stream.send("ok");
    CHECK_THAT((co_await receive(stream)).body, Catch::EndsWith("\n\nok"));
  });
}

TEST_CASE("bytes are the pattern, in any number", "[samples][web]") {
  const std::string body = visit([](Loop&, const Server& server) -> Co<std::string> {
    co_return co_await get(server, "/bytes/1000001");
  });
  CHECK((body == web::pattern(0, 1000001)));
}

TEST_CASE("flaky fails so often for each key, and afresh after a reset", "[samples][web]") {
  CHECK(visit([](Loop&, const Server& server) -> Co<std::string> {
          Stream stream = co_await gather::test::connect(server);
          std::string statuses;
          for (const char* path : {"/flaky/a/2", "/flaky/a/2", "/flaky/b/1", "/flaky/a/2", "/flaky/b/1",
                                   "/reset", "/flaky/b/1"}) {
            co_await send(stream, fmt::format("GET {}", path));
            statuses += fmt::format("{} ", (co_await receive(stream)).status());
          }
          co_return statuses;
        }) == "503 503 503 200 200 200 503 ");
}

TEST_CASE("peak counts what is served at the same time, until the client has gone", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream observer = co_await gather::test::connect(server);
    const auto peak_is = [&](std::string expected) -> Co<> {  // Waits for it; run_real has the deadline.
      std::string body;
      while (body != expected + "\n") {
        co_await send(observer, "GET /peak");
        body = (co_await receive(observer)).body;
      }
    };
    std::vector<Stream> clients;
    for (int i = 0; i < 40; ++i) clients.push_back(co_await gather::test::connect(server));
    for (Stream& client : clients) co_await send(client, "GET /delay/3600000");
    co_await peak_is(R"({"now": 40, "peak": 40, "requests": 40})");
    clients.erase(clients.begin() + 30, clients.end());
    co_await peak_is(R"({"now": 30, "peak": 40, "requests": 40})");
    co_await send(observer, "GET /reset");
    CHECK((co_await receive(observer)).body == "{\"now\": 30, \"peak\": 30, \"requests\": 0}\n");
    clients.clear();
    co_await peak_is(R"({"now": 0, "peak": 30, "requests": 0})");
  });
}

TEST_CASE("500 delays on 500 connections pass together", "[samples][web]") {
  visit([](Loop& loop, const Server& server) -> Co<> {
    std::vector<Co<std::string>> bodies;
    for (int i = 0; i < 500; ++i) bodies.push_back(get(server, "/delay/30"));
    const TimePoint start = loop.now();
    const auto answers = co_await gather::async::gather(std::move(bodies));
    CHECK(answers == std::vector<std::string>(500, "done after 30 ms\n"));
    CHECK(loop.now() - start >= 30ms);
    CHECK(loop.now() - start < 5s);  // One after the other would take 15 s.
  });
}

TEST_CASE("a client that is slow to ask or slow to read keeps nobody waiting", "[samples][web]") {
  visit([](Loop&, const Server& server) -> Co<> {
    Stream slow_to_ask = co_await gather::test::connect(server);
    co_await slow_to_ask.send("GET /delay/0 HTTP/1.1\r\nHo");
    Stream slow_to_read = co_await gather::test::connect(server);
    co_await send(slow_to_read, "GET /bytes/1000000000");
    co_await slow_to_read.read(1000);
    CHECK(co_await get(server, "/delay/0/quick") == "quick after 0 ms\n");
    co_await slow_to_ask.send("st: test\r\n\r\n");
    CHECK((co_await receive(slow_to_ask)).body == "done after 0 ms\n");
  });
}

TEST_CASE("a malformed request gets 400 and the end", "[samples][web]") {
  for (const char* bytes :
       {"nonsense\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nb : c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nb: \n\r\n\r\n", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    CAPTURE(bytes);
    CHECK_THAT(answer_to(bytes), Catch::StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  }
}

TEST_CASE("what is too long or unknown has a status of its own", "[samples][web]") {
  const std::string long_head = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n";
  CHECK_THAT(answer_to(long_head), Catch::StartsWith("HTTP/1.1 431 "));
  CHECK_THAT(answer_to("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"),
             Catch::StartsWith("HTTP/1.1 413 "));
  CHECK_THAT(answer_to("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
             Catch::StartsWith("HTTP/1.1 501 "));
  CHECK_THAT(answer_to("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), Catch::StartsWith("HTTP/1.1 505 "));
}

TEST_CASE("a client that leaves in the middle of a request gets no answer", "[samples][web]") {
  CHECK(answer_to("GET /delay/0 HTT") == "");
  CHECK(answer_to("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf") == "");
  CHECK(answer_to("") == "");
}
