#include "tests/support/gzip.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;

namespace {

using Then = ScriptedServer::Then;

/// How a download ends whose answer is these bytes and then this; it must leave the old file alone.
std::string ending(const std::string& bytes, Then then, Session::Options options = {}) {
  const Folder folder;
  folder.write("page.txt", "old");
  ScriptedServer server([&](const ScriptedServer::Request&) { return ScriptedServer::Reply{bytes, then}; });
  Download wanted;
  wanted.url = server.url();
  wanted.output = folder / "page.txt";
  const std::string result = fetch(wanted, options);
  return folder.read("page.txt") == "old" && folder.list() == "page.txt" ? result
                                                                         : "damaged: " + folder.list();
}

std::string promising(std::string_view length, std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::string(length) + "\r\n\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("C41: a body that is shorter than promised is truncated", "[net][broken]") {
  CHECK(ending(promising("1000", std::string(100, 'x')), Then::close) ==
        "truncated: HOST closed the connection after 100 of 1000 bytes");
  CHECK(ending(promising("1000", ""), Then::close) ==
        "truncated: HOST closed the connection after 0 of 1000 bytes");
}

TEST_CASE("C46: chunks without the last one are truncated", "[net][broken]") {
  CHECK(ending(chunked_response("hello", 5, false), Then::close) ==
        "truncated: HOST closed the connection after 5 bytes, before the end of the body");
  CHECK(ending("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhel", Then::close) ==
        "truncated: HOST closed the connection after 3 bytes, before the end of the body");
}

TEST_CASE("C46: chunks that are none are no answer", "[net][broken]") {
  CHECK(ending("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n", Then::close)
            .starts_with("protocol: HOST sent what is no proper answer: "));
}

TEST_CASE("C43: a reset is truncation, before the answer and inside it", "[net][broken]") {
  CHECK(ending("", Then::reset) == "truncated: HOST reset the connection before it answered");
  CHECK(ending(promising("1000", "hello"), Then::reset).starts_with("truncated: HOST reset the connection "));
  CHECK(ending("", Then::close) == "truncated: HOST closed the connection before it answered");
}

TEST_CASE("a head that is cut is no answer, least of all an empty one", "[net][broken]") {
  for (const char* const head : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
                                 "HTTP/1.1 200 OK\r\nX: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n"})
    CHECK(ending(head, Then::close) == "truncated: HOST closed the connection before it answered");
}

TEST_CASE("C44: a length that is none is refused", "[net][broken]") {
  CHECK(ending(promising("99999999999999999999", "hello"), Then::close) ==
        "protocol: HOST sent a length that is none: \"99999999999999999999\"");
  CHECK(ending(promising("-5", "hello"), Then::close).starts_with("protocol: HOST sent "));
  CHECK(ending(promising("5\r\nContent-Length: 6", "hello"), Then::close) ==
        "protocol: HOST sent two different lengths, 5 and 6");
}

TEST_CASE("C57: what is no HTTP is refused", "[net][broken]") {
  CHECK(ending("hello\r\n", Then::close) ==
        "protocol: HOST sent what is no proper answer: Received HTTP/0.9 when not allowed");
}

TEST_CASE("C57: endless headers end", "[net][broken]") {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100'000; ++i) bytes += "X-Header: 1\r\n";
  CHECK(ending(bytes, Then::stall) == "protocol: HOST sent headers without end");
}

TEST_CASE("C57: interim answers without end come to an end", "[net][broken]") {
  std::string bytes;
  for (int i = 0; i < 20'000; ++i) bytes += "HTTP/1.1 103 Early Hints\r\n\r\n";
  CHECK(ending(bytes, Then::stall) == "protocol: HOST sent headers without end");
}

TEST_CASE("C48, C49: what nobody asked to be compressed is kept as it came, a bomb and half a stream, too",
          "[net][broken]") {
  const std::string whole = gzip("hello");
  for (const std::string& body : {gzip_bomb(10'000'000), whole.substr(0, whole.size() / 2)}) {
    const Folder folder;
    ScriptedServer server([&](const ScriptedServer::Request&) {
      return ScriptedServer::Reply{response(200, body, "Content-Encoding: gzip\r\n")};
    });
    Download wanted;
    wanted.url = server.url();
    wanted.output = folder / "page.txt";
    CHECK(fetch(wanted).starts_with("200, "));
    CHECK(folder.read("page.txt") == body);
    CHECK_FALSE(server.requests().front().headers.contains("accept-encoding"));
  }
}

TEST_CASE("C60: a server does not name the file", "[net][broken]") {
  for (const char* const name : {"../../x", "/tmp/x", ".bashrc", "a%2f..%2fb", "CON"}) {
    const Folder folder;
    ScriptedServer server([&](const ScriptedServer::Request&) {
      return ScriptedServer::Reply{
          response(200, "hello", fmt::format("Content-Disposition: attachment; filename=\"{}\"\r\n", name))};
    });
    Download wanted;
    wanted.url = server.url();
    wanted.output = folder / "page.txt";
    CHECK(fetch(wanted) == "200, 5 bytes");
    CHECK(folder.list() == "page.txt");
  }
}

TEST_CASE("C56: a silent server ends by the stall timer", "[net][broken]") {
  const Session::Options impatient{.stall_timeout = 100ms};
  CHECK(ending("", Then::stall, impatient) == "timeout: HOST sent nothing for 100 ms");
  CHECK(ending(promising("1000", "hello"), Then::stall, impatient) ==
        "timeout: HOST sent nothing for 100 ms");
}

TEST_CASE("a refused connection is told at once", "[net][broken]") {
  std::string url;
  {
    const ScriptedServer gone([](const ScriptedServer::Request&) { return ScriptedServer::Reply{}; });
    url = gone.url();
  }
  const auto begin = std::chrono::steady_clock::now();
  CHECK(fetch({.url = url}) == "connect: can't connect to HOST: Connection refused");
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("a name without an address is dns", "[net][broken]") {
  CHECK(fetch({.url = "http://nonexistent.invalid/"}) == "dns: no address was found for nonexistent.invalid");
}

TEST_CASE("C56: a handshake that never ends is a timeout", "[net][broken]") {
  const ScriptedServer silent([](const ScriptedServer::Request&) { return ScriptedServer::Reply{}; });
  CHECK(fetch({.url = "https://" + silent.host()}, {.connect_timeout = 100ms}) ==
        "timeout: no connection to HOST within 100 ms");
}

TEST_CASE("who answers a handshake with text is tls", "[net][broken]") {
  ScriptedServer plain([](const ScriptedServer::Request&) { return ScriptedServer::Reply{}; });
  plain.greet("HTTP/1.1 400 Bad Request\r\n\r\n");
  CHECK(fetch({.url = "https://" + plain.host()}).starts_with("tls: no secure connection to HOST: "));
}

TEST_CASE("a user in a URL is refused", "[net][broken]") {
  CHECK(fetch({.url = "http://me:secret@127.0.0.1:1/"}) ==
        "protocol: the URL for HOST holds a user or password");
}

TEST_CASE("other schemes are refused", "[net][broken]") {
  CHECK(fetch({.url = "file:///etc/passwd"})
            .starts_with("protocol: \"file:///etc/passwd\" is no URL that can be fetched"));
}
