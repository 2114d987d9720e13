// Files that get their name from the head of the answer (Download::path).
#include "core/net/disposition.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace gather::net;
using namespace gather::test;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

ScriptedServer::Script calling_it(std::string name, std::string body) {
  return [reply = response(200, body, fmt::format("Content-Disposition: attachment; filename={}\r\n", name))](
             const Asked&) { return Reply{reply}; };
}

/// With its part under `.part-of-it`, and the name that the server gives in `folder`.
Download named_by(const ScriptedServer& server, const Folder& folder) {
  Download wanted;
  wanted.url = server.url("/f");
  wanted.output = folder / "sub/.of-it";
  wanted.if_exists = IfExists::verify;
  wanted.path = [&](const Head& head) -> std::expected<std::filesystem::path, std::string> {
    const auto name = filename_in(head.headers.get("content-disposition", ""));
    if (!name) return std::unexpected("it has no name");
    return folder / ("sub/" + harmless_name(*name).value());
  };
  return wanted;
}

}  // namespace

TEST_CASE("the head of the answer names the file", "[net][named]") {
  const Folder folder;
  const ScriptedServer server(calling_it("../../x.txt", "hello"));
  CHECK(fetch(named_by(server, folder)) == "200, 5 bytes");
  CHECK(folder.list() == "sub sub/x.txt");
  CHECK(folder.read("sub/x.txt") == "hello");
}

TEST_CASE("a name that is refused fails the fetch before any of the body is taken", "[net][named]") {
  const Folder folder;
  const ScriptedServer server([](const Asked&) { return Reply{response(200, "hello")}; });
  CHECK(fetch(named_by(server, folder)) == "local: it has no name");
  CHECK(folder.list() == "sub");
}

TEST_CASE("a file that is there under the server's name is replaced only on request", "[net][named]") {
  const Folder folder;
  const ScriptedServer server(calling_it("x", "hello"));
  std::filesystem::create_directory(folder / "sub");
  Download wanted = named_by(server, folder);
  const auto with = [&](IfExists what, std::string_view there) {
    folder.write("sub/x", there);
    wanted.if_exists = what;
    std::string result = fetch(wanted);
    if (const auto at = result.find(folder.path().native()); at != std::string::npos)
      result.erase(at, folder.path().native().size() + 1);
    CHECK(folder.list() == "sub sub/x");
    return result + "; " + folder.read("sub/x");
  };
  CHECK(with(IfExists::verify, "other") == "local: sub/x is there already with other content; other");
  CHECK(with(IfExists::verify, "hello, too") ==
        "local: sub/x is there already with other content; hello, too");
  CHECK(with(IfExists::verify, "hello") == "200, 5 bytes; hello");
  CHECK(with(IfExists::fail, "hello") == "local: sub/x is there already; hello");
  CHECK(with(IfExists::skip, "old") == "0, 3 bytes; old");
  CHECK(with(IfExists::overwrite, "old") == "200, 5 bytes; hello");
}

TEST_CASE("C62: what is no plain file keeps the server's name", "[net][named]") {
  const Folder folder;
  const ScriptedServer server(calling_it("x", "hello"));
  std::filesystem::create_directories(folder / "sub/x");
  Download wanted = named_by(server, folder);
  for (const IfExists what : {IfExists::verify, IfExists::overwrite}) {
    wanted.if_exists = what;
    CHECK(fetch(wanted).ends_with("it is a folder"));
  }
  std::filesystem::remove(folder / "sub/x");
  folder.write("elsewhere", "old");
  std::filesystem::create_symlink("../elsewhere", folder / "sub/x");
  wanted.if_exists = IfExists::verify;
  CHECK(fetch(wanted).starts_with("local: can't write "));
  CHECK(folder.read("elsewhere") == "old");
  wanted.if_exists = IfExists::overwrite;
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK((folder.read("elsewhere") == "old" && folder.read("sub/x") == "hello"));
}

TEST_CASE("a part whose name is known late is gone on from, and the rest names the file", "[net][named]") {
  const Folder folder;
  const ScriptedServer server([n = 0](const Asked& request) mutable {
    const std::string name = "Content-Disposition: attachment; filename=x\r\nETag: \"1\"\r\n";
    if (++n == 1)
      return Reply{fmt::format("HTTP/1.1 200 OK\r\n{}Content-Length: 10\r\n\r\nhello", name), Then::close};
    CHECK(request.headers.at("range") == "bytes=5-");
    return Reply{response(206, "world", name + "Content-Range: bytes 5-9/10\r\n")};
  });
  const Download wanted = named_by(server, folder);
  CHECK(fetch(wanted).starts_with("truncated: "));
  CHECK(folder.list() == "sub sub/.of-it.part sub/.of-it.part.meta");
  CHECK(fetch(wanted) == "206, 10 bytes");
  CHECK((folder.list() == "sub sub/x" && folder.read("sub/x") == "helloworld"));
}

TEST_CASE("a server that has no more to send is asked for all, as only that has the name", "[net][named]") {
  const Folder folder;
  const ScriptedServer server([n = 0](const Asked&) mutable {
    const std::string name = "Content-Disposition: attachment; filename=x\r\nETag: \"1\"\r\n";
    if (++n == 1)
      return Reply{fmt::format("HTTP/1.1 200 OK\r\n{}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", name),
                   Then::close};
    if (n == 2) return Reply{response(416, "", "ETag: \"1\"\r\nContent-Range: bytes */5\r\n")};
    return Reply{response(200, "hello", name)};
  });
  const Download wanted = named_by(server, folder);
  fetch(wanted);
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK(folder.list() == "sub sub/x");
}
