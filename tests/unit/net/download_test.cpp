#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <ctime>
#include <variant>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;
namespace fs = std::filesystem;

namespace {

using Then = ScriptedServer::Then;

/// Answers everything with `reply`.
struct Fixed : ScriptedServer {
  explicit Fixed(const std::string& bytes, Then then = Then::keep)
      : ScriptedServer([=](const Request&) { return Reply{bytes, then}; }) {}
};

Download to_file(const ScriptedServer& server, const fs::path& output) {
  Download wanted;
  wanted.url = server.url();
  wanted.output = output;
  return wanted;
}

DownloadResult result_of(const Download& wanted) {
  async::Loop loop;
  Session session(loop);
  return loop.run(download(session, wanted));
}

const Checksum sha256_of_hello{Algorithm::sha256,
                               "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};

}  // namespace

TEST_CASE("without an output the body is the result", "[net][download]") {
  const Fixed server(response(200, "hello"));
  const auto fetched = std::get<Fetched>(result_of({.url = server.url()}));
  CHECK(fetched.body == "hello");
  CHECK(fetched.bytes == 5);
}

TEST_CASE("with an output the body is the file", "[net][download]") {
  const Folder folder;
  const Fixed server(response(200, "hello"));
  CHECK(fetch(to_file(server, folder / "page.txt")) == "200, 5 bytes");
  CHECK(folder.read("page.txt") == "hello");
  CHECK(folder.list() == "page.txt");
}

TEST_CASE("missing folders are made", "[net][download]") {
  const Folder folder;
  const Fixed server(response(200, "hello"));
  CHECK(fetch(to_file(server, folder / "a/b/page.txt")) == "200, 5 bytes");
  CHECK(folder.list() == "a a/b a/b/page.txt");
}

TEST_CASE("an empty body makes an empty file", "[net][download]") {
  const Folder folder;
  const Fixed server(response(200, ""));
  CHECK(fetch(to_file(server, folder / "page.txt")) == "200, 0 bytes");
  CHECK(folder.list() == "page.txt");
}

TEST_CASE("a body in chunks comes whole", "[net][download]") {
  const Folder folder;
  const std::string body(100'000, 'x');
  const Fixed server(chunked_response(body, 4096));
  CHECK(fetch(to_file(server, folder / "page.txt")) == "200, 100000 bytes");
  CHECK(folder.read("page.txt") == body);
}

TEST_CASE("C42: a body that ends with the connection is accepted", "[net][download]") {
  const Fixed server("HTTP/1.0 200 OK\r\n\r\nhello", Then::close);
  CHECK(fetch({.url = server.url()}) == "200, 5 bytes");
}

TEST_CASE("C45: what comes beyond the promised length is not taken", "[net][download]") {
  const Fixed server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", Then::close);
  CHECK(std::get<Fetched>(result_of({.url = server.url()})).body == "he");
}

TEST_CASE("a body larger than is kept in memory needs an output", "[net][download]") {
  const Folder folder;
  const Fixed server(response(200, std::string(longest_kept_body + 1, 'x')));
  CHECK(fetch({.url = server.url()}) ==
        "too-large: the body is longer than 16 MB; name an `output` file for it");
  CHECK(fetch(to_file(server, folder / "large")) == "200, 16000001 bytes");
}

TEST_CASE("C59: the body of an error never lands in the file", "[net][download]") {
  const Folder folder;
  folder.write("page.txt", "old");
  const Fixed missing(response(404, "\n no such page \nnext line"));
  CHECK(fetch(to_file(missing, folder / "page.txt")) == "status 404: no such page ");
  const Fixed broken(response(500, "\x1b[2Jboom"));
  CHECK(fetch(to_file(broken, folder / "page.txt")) == "status 500: \\x1b[2Jboom");
  CHECK(folder.read("page.txt") == "old");
  CHECK(folder.list() == "page.txt");
}

TEST_CASE("an endless error body is not read to its end", "[net][download]") {
  const Fixed server(chunked_response(std::string(3'000'000, 'x'), 50'000).replace(9, 3, "500"));
  CHECK(fetch({.url = server.url()}) == "status 500: " + std::string(200, 'x'));
}

TEST_CASE("a status that is expected is success, and others then are not", "[net][download]") {
  const Fixed missing(response(404, "gone"));
  CHECK(fetch({.url = missing.url(), .expected = {200, 404}}) == "404, 4 bytes");
  const Fixed good(response(200, "here"));
  CHECK(fetch({.url = good.url(), .expected = {404}}) == "status 200: here");
}

TEST_CASE("a part that was not asked for is no file", "[net][download]") {
  const Fixed server(response(206, "lo"));
  CHECK(fetch({.url = server.url()}) == "protocol: HOST sent a part (status 206) that was not asked for");
  CHECK(fetch({.url = server.url(), .headers = {{"Range", "bytes=3-"}}}) == "206, 2 bytes");
}

TEST_CASE("C59: Retry-After is read as seconds and as a date", "[net][download]") {
  const auto wait_of = [](int status, const std::string& value) {
    const Fixed server(response(status, "", "Retry-After: " + value + "\r\n"));
    return std::get<UnexpectedStatus>(result_of({.url = server.url()})).retry_after;
  };
  CHECK(wait_of(429, "7") == 7s);
  CHECK(wait_of(503, "0") == 0s);
  CHECK(wait_of(503, "-5") == 0s);
  CHECK(wait_of(503, "soon") == std::nullopt);
  CHECK(wait_of(500, "7") == std::nullopt);
  CHECK(wait_of(503, "99999999999999999999") == std::nullopt);
  CHECK(wait_of(503, "Fri, 31 Dec 1999 23:59:59 GMT") == 0s);

  const std::time_t soon = std::time(nullptr) + 100;
  char date[64];
  std::strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&soon));
  const auto wait = wait_of(429, date);
  CHECK((wait && *wait > 60s && *wait <= 100s));
}

TEST_CASE("the right checksum is success, also for the empty body", "[net][download]") {
  const Folder folder;
  const Fixed server(response(200, "hello"));
  Download wanted = to_file(server, folder / "page.txt");
  wanted.checksum = sha256_of_hello;
  CHECK(std::get<Fetched>(result_of(wanted)).digest == sha256_of_hello.hex);
  CHECK(folder.list() == "page.txt");

  const Fixed empty(response(200, ""));
  CHECK(fetch({.url = empty.url(),
               .checksum = Checksum{Algorithm::sha256,
                                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}) ==
        "200, 0 bytes");
}

TEST_CASE("C61: the wrong checksum leaves the old file as it was", "[net][download]") {
  const Folder folder;
  folder.write("page.txt", "old");
  const Fixed server(response(200, "hello, world"));
  Download wanted = to_file(server, folder / "page.txt");
  wanted.checksum = sha256_of_hello;
  CHECK(fetch(wanted) == "checksum: 09ca7e4e is not 2cf24dba");
  CHECK(folder.read("page.txt") == "old");
  CHECK(folder.list() == "page.txt");
}

TEST_CASE("method, headers and body arrive as given", "[net][download]") {
  const Fixed server(response(201, ""));
  CHECK(fetch({.url = server.url("/items?a=b"),
               .method = "POST",
               .headers = {{"X-One", "1"}, {"X-Empty", ""}},
               .body = std::string("a\0b", 3)}) == "201, 0 bytes");
  const auto request = server.requests().at(0);
  CHECK(request.method + " " + request.target == "POST /items?a=b");
  CHECK(request.body == std::string("a\0b", 3));
  CHECK(request.headers.at("x-one") == "1");
  CHECK(request.headers.at("x-empty").empty());
  CHECK(request.headers.at("user-agent").starts_with("gather/"));
  CHECK_FALSE(request.headers.contains("content-type"));
  CHECK_FALSE(request.headers.contains("accept-encoding"));
  CHECK_FALSE(request.headers.contains("expect"));
}

TEST_CASE("every method is sent with the length its body has", "[net][download]") {
  const Fixed server(response(200, ""));
  const auto sent = [&](const std::string& method, std::optional<std::string> body) {
    fetch({.url = server.url(), .method = method, .body = std::move(body)});
    auto request = server.requests().back();
    return fmt::format(
        "{} {}", request.method,
        request.headers.contains("content-length") ? request.headers["content-length"] : "none");
  };
  CHECK(sent("GET", std::nullopt) == "GET none");
  CHECK(sent("HEAD", std::nullopt) == "HEAD none");
  CHECK(sent("DELETE", std::nullopt) == "DELETE none");
  CHECK(sent("POST", std::nullopt) == "POST 0");
  CHECK(sent("PUT", "abc") == "PUT 3");
  CHECK(sent("PATCH", std::string(100'000, 'x')) == "PATCH 100000");
  CHECK(sent("DELETE", "abc") == "DELETE 3");
}

TEST_CASE("a length without a body is right for HEAD", "[net][download]") {
  const Fixed server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  CHECK(fetch({.url = server.url(), .method = "HEAD"}) == "200, 0 bytes");
}

TEST_CASE("a header can't smuggle in another", "[net][download]") {
  CHECK(fetch({.url = "http://127.0.0.1:1/", .headers = {{"X", "1\r\nY: 2"}}}) ==
        "local: the header \"X\" holds a line break");
  CHECK(fetch({.url = "http://127.0.0.1:1/", .method = "GET / HTTP/1.1\r\nX:"}) ==
        "local: \"GET / HTTP/1.1\\r\\nX:\" is no method");
}
