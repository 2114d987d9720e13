// Answers in pages, joined to one body. What a page is like is the reader's affair: here "ITEMS|NEXT".
#include "tests/support/gzip.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::net;
using namespace gather::test;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

std::expected<Page, std::string> page_in(const std::string& body) {
  const std::size_t bar = body.find('|');
  if (bar == std::string::npos) return std::unexpected("this is no page");
  Page page{body.substr(0, bar), std::nullopt};
  if (bar + 1 < body.size()) page.next = body.substr(bar + 1);
  return page;
}

/// Serves what is written for each target, 404 for others.
ScriptedServer::Script serving(std::map<std::string, std::string> pages) {
  return [pages = std::move(pages)](const Asked& request) {
    const auto at = pages.find(request.target);
    return at == pages.end() ? Reply{response(404, "gone")} : Reply{response(200, at->second)};
  };
}

Download pages_of(const ScriptedServer& server, const Folder& folder, std::size_t most = 10,
                  bool more_is_failure = true) {
  Download wanted;
  wanted.url = server.url("/1");
  wanted.output = folder / "all";
  wanted.pages = {page_in, false, most, more_is_failure};
  return wanted;
}

}  // namespace

TEST_CASE("the items of all pages are one array, in a file or in memory", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server(serving({{"/1", "1,2|/2"}, {"/2", "|x/3"}, {"/x/3", "\"3\"|"}}));
  Download wanted = pages_of(server, folder);
  CHECK(fetch(wanted) == "200, 10 bytes");
  CHECK((folder.list() == "all" && folder.read("all") == "[1,2,\"3\"]\n"));
  CHECK(server.connections() == 1);
  wanted.output.reset();
  CHECK(fetch(wanted) == "200, 10 bytes");
  const ScriptedServer empty(serving({{"/1", "|"}}));
  CHECK(fetch(pages_of(empty, folder)) == "200, 3 bytes");
  CHECK(folder.read("all") == "[]\n");
}

TEST_CASE("the next page may be the one that the header Link names", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server([](const Asked& request) {
    if (request.target == "/1")
      return Reply{response(200, "1|/wrong", "Link: </0>; rel=prev\r\nLink: <?page=2>; rel=\"next\"\r\n")};
    return request.target == "/1?page=2" ? Reply{response(200, "2|/wrong")} : Reply{response(404, "")};
  });
  Download wanted = pages_of(server, folder);
  wanted.pages->next_by_link = true;
  CHECK(fetch(wanted) == "200, 6 bytes");
  CHECK(folder.read("all") == "[1,2]\n");
}

TEST_CASE("the number of pages is bounded: what is enough, or too many", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server(serving({{"/1", "1|/2"}, {"/2", "2|/3"}, {"/3", "3|"}}));
  CHECK(fetch(pages_of(server, folder, 2, false)) == "200, 6 bytes");
  CHECK(folder.read("all") == "[1,2]\n");
  CHECK(fetch(pages_of(server, folder, 2)) ==
        "too-large: HOST has more than 2 pages; `max` says how many are wanted");
  CHECK(fetch(pages_of(server, folder, 3)) == "200, 8 bytes");
}

TEST_CASE("pages that lead in a circle end", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server(serving({{"/1", "1|/2"}, {"/2", "2|/1"}}));
  CHECK(fetch(pages_of(server, folder)) ==
        "redirect: HOST leads from a page to one that was there already: http://HOST/1");
  CHECK(folder.list().empty());
  CHECK(server.requests().size() == 2);
}

TEST_CASE("a page that fails fails the whole, and the old file stays", "[net][pages]") {
  const Folder folder;
  folder.write("all", "old");
  const auto ending = [&](std::string second) {
    const ScriptedServer server([&](const Asked& request) {
      return request.target == "/1" ? Reply{response(200, "1|/2")}
                                    : Reply{second, ScriptedServer::Then::close};
    });
    const std::string result = fetch(pages_of(server, folder));
    CHECK((folder.list() == "all" && folder.read("all") == "old"));
    return result;
  };
  CHECK(ending(response(500, "broken")) == "status 500: broken");
  CHECK(ending(response(200, "no page")) == "not as expected: this is no page");
  CHECK(ending("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n2|") ==
        "truncated: HOST closed the connection after 2 of 9 bytes");
  CHECK(ending(response(200, "2|ftp://elsewhere/")).starts_with("redirect: "));
}

TEST_CASE("checksum, size and limit are those of the whole", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server(serving({{"/1", "1|/2"}, {"/2", "2|"}}));
  Download wanted = pages_of(server, folder);
  wanted.expect.size = 6;
  wanted.checksum = {Algorithm::sha256, "4315ef5c23bd6e7af2e6d8ae8ae7a2ae2c4af1ee1ab4e67ad2ddb5bb4f8b4f65"};
  CHECK_THAT(fetch(wanted), Catch::StartsWith("checksum: ") && Catch::EndsWith(" is not 4315ef5c"));
  wanted.checksum.reset();
  CHECK(fetch(wanted) == "200, 6 bytes");
  wanted.max_size = 5;
  CHECK(fetch(wanted).starts_with("too-large: "));
  wanted.max_size.reset();
  wanted.expect.size = 7;
  CHECK(fetch(wanted) == "not as expected: the body has 6 bytes, not 7");
}

TEST_CASE("every page is held to what is expected of an answer's head", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server(serving({{"/1", "1|/2"}, {"/2", "2|"}}));
  Download wanted = pages_of(server, folder);
  int seen = 0;
  wanted.expect.head = [&](const Head&, bool) -> std::optional<std::string> {
    return ++seen == 2 ? std::optional<std::string>("the second is not") : std::nullopt;
  };
  CHECK(fetch(wanted) == "not as expected: the second is not");
}

TEST_CASE("headers stay with the origin of the first page", "[net][pages]") {
  const Folder folder;
  const ScriptedServer other(serving({{"/2", "2|/3"}, {"/3", "3|"}}));
  const ScriptedServer server(serving({{"/1", "1|/1b"}, {"/1b", "1|" + other.url("/2")}}));
  Download wanted = pages_of(server, folder);
  wanted.headers = {{"Authorization", "Bearer s3cret"}};
  CHECK(fetch(wanted) == "200, 10 bytes");
  for (const Asked& request : server.requests()) CHECK(request.headers.contains("authorization"));
  for (const Asked& request : other.requests()) CHECK_FALSE(request.headers.contains("authorization"));
  CHECK(other.requests().size() == 2);
}

TEST_CASE("pages may be compressed", "[net][pages]") {
  const Folder folder;
  const ScriptedServer server([](const Asked& request) {
    return Reply{response(200, gzip(request.target == "/1" ? "1|/2" : "2|"), "Content-Encoding: gzip\r\n")};
  });
  Download wanted = pages_of(server, folder);
  wanted.compressed = true;
  CHECK(fetch(wanted) == "200, 6 bytes");
  CHECK(folder.read("all") == "[1,2]\n");
}
