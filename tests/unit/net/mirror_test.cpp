// Parts that one mirror began and another goes on with.
#include "core/net/part_note.hpp"
#include "tests/support/ranged_file.hpp"
#include "tests/support/replies.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::net;
using namespace gather::test;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

const Checksum sha256_of_helloworld{Algorithm::sha256,
                                    "936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af"};

/// Breaks off after "hello".
Reply half(const Asked&) {
  return {"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\nhello", Then::close};
}

ScriptedServer::Script serving(RangedFile file) {
  return [file = std::move(file)](const Asked& request) { return Reply{file.answer(request)}; };
}

/// What became of "helloworld", begun by one server and gone on with from another that has `file`: the
/// results, the ranges that the second was asked for, and the folder.
std::string begun_and_ended(RangedFile file, bool with_checksum) {
  const Folder folder;
  const ScriptedServer first(half);
  const ScriptedServer second(serving(std::move(file)));
  Download wanted;
  wanted.mirrors = {first.url("/f"), second.url("/f")};
  wanted.url = wanted.mirrors[0];
  wanted.output = folder / "f";
  if (with_checksum) wanted.checksum = sha256_of_helloworld;
  CHECK(fetch(wanted) == "truncated: HOST closed the connection after 5 of 10 bytes");
  wanted.url = wanted.mirrors[1];
  const std::string result = fetch(wanted);
  std::string asked;
  for (const Asked& request : second.requests()) {
    const auto range = request.headers.find("range");
    CHECK_FALSE(request.headers.contains("if-range"));
    asked += fmt::format("[{}]", range == request.headers.end() ? "" : range->second);
  }
  return fmt::format("{}; {}; {}: {}", result, asked, folder.list(), folder.read("f"));
}

}  // namespace

TEST_CASE("with a checksum, one mirror goes on with what another began", "[net][mirror]") {
  CHECK(begun_and_ended({"helloworld", "\"b\""}, true) == "206, 10 bytes; [bytes=5-]; f: helloworld");
}

TEST_CASE("without a checksum, no mirror goes on with what another began", "[net][mirror]") {
  CHECK(begun_and_ended({"helloworld", "\"b\""}, false) == "200, 10 bytes; []; f: helloworld");
}

TEST_CASE("a mirror that has another file is found out, and asked for all of it", "[net][mirror]") {
  CHECK(begun_and_ended({"helloWORLD", "\"b\""}, true) ==
        "checksum: e06ca8b4 is not 936a185c; [bytes=5-][]; : ");
  CHECK(begun_and_ended({"hello, worlds", "\"b\""}, true).starts_with("checksum: "));
}

TEST_CASE("the rest from a mirror that has another file is thrown away, and all of it is right",
          "[net][mirror]") {
  const Folder folder;
  const ScriptedServer first([](const Asked&) {
    return Reply{"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\nHELLO", Then::close};
  });
  const ScriptedServer second(serving({"helloworld", "\"b\""}));
  Download wanted;
  wanted.mirrors = {first.url("/f"), second.url("/f")};
  wanted.output = folder / "f";
  wanted.checksum = sha256_of_helloworld;
  wanted.url = wanted.mirrors[0];
  fetch(wanted);
  wanted.url = wanted.mirrors[1];
  CHECK(fetch(wanted) == "200, 10 bytes");
  CHECK(second.requests().size() == 2);
  CHECK((folder.list() == "f" && folder.read("f") == "helloworld"));
}

TEST_CASE("a part from several mirrors is never gone on with without a checksum", "[net][mirror]") {
  const Folder folder;
  const ScriptedServer first([n = 0](const Asked& request) mutable {
    return ++n == 1 ? half(request) : Reply{RangedFile{"helloworld", "\"a\""}.answer(request)};
  });
  const ScriptedServer second([](const Asked&) {
    return Reply{
        "HTTP/1.1 206 OK\r\nETag: \"b\"\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nwor",
        Then::close};
  });
  Download wanted;
  wanted.mirrors = {first.url("/f"), second.url("/f")};
  wanted.output = folder / "f";
  wanted.checksum = sha256_of_helloworld;
  wanted.url = wanted.mirrors[0];
  fetch(wanted);
  wanted.url = wanted.mirrors[1];
  CHECK(fetch(wanted) == "truncated: HOST closed the connection after 3 of 5 bytes");
  CHECK(folder.list() == "f.part f.part.meta");
  CHECK(folder.read("f.part") == "hellowor");
  CHECK(read_note(folder / "f.part.meta").value().mixed);
  wanted.url = wanted.mirrors[0];
  wanted.checksum.reset();
  CHECK(fetch(wanted) == "200, 10 bytes");
  CHECK(folder.read("f") == "helloworld");
}

TEST_CASE("headers for the first of several mirrors go to its origin alone, unless redirects are trusted",
          "[net][mirror]") {
  const auto served = [](const Asked&) { return Reply{response(200, "x")}; };
  const ScriptedServer first(served);
  const ScriptedServer second(served);
  Download wanted;
  wanted.mirrors = {first.url("/f"), first.url("/g"), second.url("/f")};
  wanted.headers = {{"X-Token", "s3cret"}};
  for (const bool trusted : {false, true}) {
    wanted.transport.edit().trust_redirects = trusted;
    for (const std::string& url : wanted.mirrors) {
      wanted.url = url;
      fetch(wanted);
    }
  }
  const auto told = [](const ScriptedServer& server) {
    std::string text;
    for (const Asked& request : server.requests()) text += request.headers.contains("x-token") ? "y" : "n";
    return text;
  };
  CHECK(told(first) == "yyyy");
  CHECK(told(second) == "ny");
}
