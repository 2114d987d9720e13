#include "tests/support/replies.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::net;
using namespace gather::test;

namespace {

using Reply = ScriptedServer::Reply;
using Asked = ScriptedServer::Request;
using Then = ScriptedServer::Then;

struct Fixed : ScriptedServer {
  explicit Fixed(std::string bytes) : ScriptedServer([=](const Asked&) { return Reply{bytes}; }) {}
};

Download to_file(const ScriptedServer& server, const Folder& folder) {
  Download wanted;
  wanted.url = server.url();
  wanted.output = folder / "out";
  return wanted;
}

std::optional<std::string> good_or(std::string_view text, std::string_view good) {
  return text == good ? std::nullopt : std::optional(fmt::format("{} is not {}", text, good));
}

Expectations type_is(std::string_view type) {
  return {.head = [type](const Head& head, bool) {
    return good_or(head.headers.get("content-type", "nothing"), type);
  }};
}

Expectations body_is(std::string_view body) {
  return {.body = [body](std::string_view text) { return good_or(text, body); }};
}

}  // namespace

TEST_CASE("a head that is not as expected leaves the old file, and no part", "[net][expect]") {
  const Folder folder;
  folder.write("out", "old");
  const Fixed server(response(200, "<html>", "Content-Type: text/html\r\n"));
  Download wanted = to_file(server, folder);
  wanted.expect = type_is("text/csv");
  CHECK(fetch(wanted) == "not as expected: text/html is not text/csv");
  CHECK(folder.list() == "out");
  CHECK(folder.read("out") == "old");
}

TEST_CASE("a body that is not as expected leaves the old file, and no part", "[net][expect]") {
  const Folder folder;
  folder.write("out", "old");
  const Fixed server(response(200, "hello", "ETag: \"1\"\r\n"));
  Download wanted = to_file(server, folder);
  wanted.expect = body_is("world");
  CHECK(fetch(wanted) == "not as expected: hello is not world");
  CHECK(folder.list() == "out");
  CHECK(folder.read("out") == "old");
  wanted.expect = body_is("hello");
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK(folder.read("out") == "hello");
}

TEST_CASE("a body that is kept in memory is held to what is expected, too", "[net][expect]") {
  const Fixed server(response(200, "hello"));
  Download wanted{.url = server.url()};
  wanted.expect = body_is("world");
  CHECK(fetch(wanted) == "not as expected: hello is not world");
  wanted.expect = body_is("hello");
  CHECK(fetch(wanted) == "200, 5 bytes");
}

TEST_CASE("a body has the size expected, told or counted", "[net][expect]") {
  const std::string bytes = GENERATE(as<std::string>{}, response(200, "hello"), chunked_response("hello", 2));
  const Folder folder;
  folder.write("out", "old");
  const Fixed server(bytes);
  Download wanted = to_file(server, folder);
  for (const std::uint64_t size : {4U, 6U, 0U}) {
    wanted.expect.size = size;
    CHECK_THAT(fetch(wanted), Catch::StartsWith("not as expected: the body has "));
    CHECK(folder.list() == "out");
  }
  CHECK(folder.read("out") == "old");
  wanted.expect.size = 5;
  CHECK(fetch(wanted) == "200, 5 bytes");
}

TEST_CASE("an error page in place of the rest costs nothing of the part", "[net][expect]") {
  const std::string whole = response(200, "helloworld", "ETag: \"1\"\r\nContent-Type: text/csv\r\n");
  ScriptedServer server([&, asked = 0](const Asked&) mutable {
    ++asked;
    if (asked == 1) return cut(whole, 5, Then::close);
    if (asked == 2) return Reply{response(200, "<html>", "Content-Type: text/html\r\n")};
    return Reply{response(206, "world", "ETag: \"1\"\r\nContent-Range: bytes 5-9/10\r\n")};
  });
  const Folder folder;
  Download wanted = to_file(server, folder);
  wanted.expect.head = [](const Head& head, bool partial) {
    return good_or(head.headers.get("content-type", partial ? "text/csv" : "nothing"), "text/csv");
  };
  CHECK_THAT(fetch(wanted), Catch::StartsWith("truncated"));
  CHECK(fetch(wanted) == "not as expected: text/html is not text/csv");
  CHECK(fetch(wanted) == "206, 10 bytes");
  CHECK(folder.read("out") == "helloworld");
  CHECK(server.requests().back().headers.at("range") == "bytes=5-");
}

TEST_CASE("a resumed body is looked into as a whole", "[net][expect]") {
  const std::string whole = response(200, "helloworld", "ETag: \"1\"\r\n");
  ScriptedServer server([&, asked = 0](const Asked&) mutable {
    if (asked++ == 0) return cut(whole, 5, Then::close);
    return Reply{response(206, "world", "ETag: \"1\"\r\nContent-Range: bytes 5-9/10\r\n")};
  });
  const Folder folder;
  Download wanted = to_file(server, folder);
  wanted.expect = body_is("helloworld");
  CHECK_THAT(fetch(wanted), Catch::StartsWith("truncated"));
  CHECK(fetch(wanted) == "206, 10 bytes");
}

TEST_CASE("a file that is there and not as expected is fetched anew, whatever its version", "[net][expect]") {
  ScriptedServer server([&](const Asked& request) {
    if (request.headers.contains("if-none-match")) return Reply{response(304, "")};
    return Reply{response(200, "hello", "ETag: \"1\"\r\n")};
  });
  const Folder folder;
  Download wanted = to_file(server, folder);
  wanted.if_exists = IfExists::verify;
  CHECK(fetch(wanted) == "200, 5 bytes");
  wanted.expect = body_is("hello");
  CHECK(fetch(wanted) == "304, 5 bytes");
  wanted.expect = body_is("world");
  CHECK(fetch(wanted) == "not as expected: hello is not world");
  CHECK(folder.read("out") == "hello");
  wanted.expect = {.size = 6};
  CHECK(fetch(wanted) == "not as expected: the body has 5 bytes, not 6");
}

TEST_CASE("a file longer than can be looked into is not as expected", "[net][expect]") {
  const Folder folder;
  const Fixed server(response(200, std::string(longest_kept_body + 1, 'x')));
  Download wanted = to_file(server, folder);
  wanted.expect = body_is("x");
  CHECK(fetch(wanted) ==
        "not as expected: the body has 16000001 bytes, and only 16 MB of one are looked into");
  CHECK(folder.list().empty());
}
