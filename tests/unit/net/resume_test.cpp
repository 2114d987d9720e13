#include "core/net/content_range.hpp"
#include "core/net/part_file.hpp"
#include "core/net/part_note.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <random>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;
namespace fs = std::filesystem;

namespace {

using Then = ScriptedServer::Then;
using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

std::string value(const Asked& request, const std::string& header) {
  const auto at = request.headers.find(header);
  return at == request.headers.end() ? "" : at->second;
}

/// The head of a 200 whose body has `length` bytes, then `body`, which may be shorter.
Reply whole(std::string_view body, std::size_t length, std::string_view etag, Then then = Then::close) {
  return {fmt::format("HTTP/1.1 200 OK\r\nETag: {}\r\nContent-Length: {}\r\n\r\n{}", etag, length, body),
          then};
}

/// A 206 with these headers' values and this body.
Reply part_of_it(std::string_view range, std::string_view etag, std::string_view body,
                 std::string_view more = "") {
  return {response(206, body, fmt::format("Content-Range: bytes {}\r\nETag: {}\r\n{}", range, etag, more))};
}

/// Serves `content` as its version `etag`, and honours Range and If-Range as it should.
Reply honest(const Asked& request, const std::string& content, const std::string& etag) {
  const std::string range = value(request, "range");
  if (range.empty() || value(request, "if-range") != etag)
    return whole(content, content.size(), etag, Then::keep);
  const std::size_t first = std::stoul(range.substr(range.find('=') + 1));
  if (first >= content.size())
    return {response(416, "", fmt::format("Content-Range: bytes */{}\r\n", content.size()))};
  return part_of_it(fmt::format("{}-{}/{}", first, content.size() - 1, content.size()), etag,
                    content.substr(first));
}

const Checksum sha256_of_helloworld{Algorithm::sha256,
                                    "936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af"};
constexpr std::string_view content = "helloworld";

/// Answers the first request with half of the content and the end of the connection, and later ones with
/// `second`.
struct Cut : ScriptedServer {
  explicit Cut(std::function<Reply(const Asked&)> second, std::string etag = "\"v1\"")
      : ScriptedServer([n = 0, second = std::move(second), etag](const Asked& request) mutable {
          return ++n == 1 ? whole("hello", 10, etag) : second(request);
        }) {}
};

Download to(const ScriptedServer& server, const fs::path& output) {
  Download wanted;
  wanted.url = server.url("/f");
  wanted.output = output;
  return wanted;
}

/// What the second attempt made of `second`: the result, what was asked for, what the folder holds.
std::string after_cut(std::function<Reply(const Asked&)> second) {
  const Folder folder;
  Cut server(std::move(second));
  Download wanted = to(server, folder / "f");
  CHECK(fetch(wanted) == "truncated: HOST closed the connection after 5 of 10 bytes");
  CHECK(folder.list() == "f.part f.part.meta");
  const std::string result = fetch(wanted);
  std::string asked;
  for (const Asked& request : server.requests()) asked += fmt::format("[{}]", value(request, "range"));
  return fmt::format("{}; {}; {}: {}", result, asked, folder.list(),
                     folder.read(fs::exists(folder / "f") ? "f" : "f.part"));
}

const auto honest_v1 = [](const Asked& request) { return honest(request, std::string(content), "\"v1\""); };

}  // namespace

TEST_CASE("C41: a cut download is gone on from where it ended", "[net][resume]") {
  CHECK(after_cut(honest_v1) == "206, 10 bytes; [][bytes=5-]; f: helloworld");

  const Folder folder;
  const Cut server(honest_v1);
  Download wanted = to(server, folder / "f");
  wanted.checksum = sha256_of_helloworld;
  fetch(wanted);
  async::Loop loop;
  Session session(loop);
  const auto fetched = std::get<Fetched>(loop.run(download(session, wanted)));
  CHECK((fetched.from == Fetched::From::resumed && fetched.resumed_from == 5));
  CHECK(fetched.digest == sha256_of_helloworld.hex);
  const Asked second = server.requests().at(1);
  CHECK(value(second, "if-range") == "\"v1\"");
  CHECK(value(second, "accept-encoding") == "identity");
}

TEST_CASE("C41: without a validator that can be relied on, the part is removed", "[net][resume]") {
  const auto left_by = [](std::string_view headers) {
    const Folder folder;
    const ScriptedServer server([&](const Asked&) {
      return Reply{fmt::format("HTTP/1.1 200 OK\r\n{}Content-Length: 10\r\n\r\nhello", headers), Then::close};
    });
    fetch(to(server, folder / "f"));
    return folder.list();
  };
  CHECK(left_by("").empty());
  CHECK(left_by("ETag: W/\"v1\"\r\n").empty());
  CHECK(left_by("ETag: v1\r\n").empty());
  CHECK(left_by("ETag: \"v1\"\r\nContent-Encoding: gzip\r\n").empty());
  const std::string changed = "Last-Modified: Sat, 01 Nov 2025 10:00:00 GMT\r\n";
  CHECK(left_by(changed).empty());
  CHECK(left_by(changed + "Date: Sat, 01 Nov 2025 10:00:59 GMT\r\n").empty());
  CHECK(left_by(changed + "Date: Sat, 01 Nov 2025 10:01:00 GMT\r\n") == "f.part f.part.meta");
}

TEST_CASE("resuming can be switched off", "[net][resume]") {
  const Folder folder;
  const Cut server(honest_v1);
  Download wanted = to(server, folder / "f");
  fetch(wanted);
  CHECK(folder.list() == "f.part f.part.meta");
  wanted.resume = false;
  CHECK(fetch(wanted) == "200, 10 bytes");
  CHECK(value(server.requests().at(1), "range").empty());
  CHECK(folder.list() == "f");
}

TEST_CASE("C55: what is no rest of the same version is never put behind the part", "[net][resume]") {
  const auto v2 = [](const Asked&) { return whole("HELLOWORLD", 10, "\"v2\"", Then::keep); };
  CHECK(after_cut(v2) == "200, 10 bytes; [][bytes=5-]; f: HELLOWORLD");

  // Answers to a Range that can't be trusted: everything is asked for again, once.
  const auto liar = [&](const Reply& rest) {
    return after_cut(
        [=](const Asked& request) { return value(request, "range").empty() ? v2(request) : rest; });
  };
  const std::string anew = "200, 10 bytes; [][bytes=5-][]; f: HELLOWORLD";
  CHECK(liar(part_of_it("4-9/10", "\"v1\"", "OWORLD")) == anew);   // Another beginning.
  CHECK(liar(part_of_it("5-10/11", "\"v1\"", "WORLD!")) == anew);  // Another total.
  CHECK(liar(part_of_it("5-9/*", "\"v1\"", "WORLD")) == anew);     // No total.
  CHECK(liar(part_of_it("5-9/10", "\"v2\"", "WORLD")) == anew);    // Another version.
  CHECK(liar({response(206, "WORLD", "Content-Range: bytes 5-9/10\r\n")}) == anew);
  CHECK(liar({response(206, "WORLD", "ETag: \"v1\"\r\n")}) == anew);
  CHECK(liar(part_of_it("5-9/10", "\"v1\"", "WORLD", "Content-Encoding: gzip\r\n")) == anew);
  CHECK(liar(part_of_it("5-9/10", "\"v1\"", "WORLD and more")) == anew);
  CHECK(liar({response(206, "--x\r\n",
                       "Content-Type: multipart/byteranges; boundary=x\r\nETag: \"v1\"\r\n")}) == anew);
  CHECK(liar({response(416, "", "Content-Range: bytes */11\r\n")}) == anew);
  CHECK(liar({response(416, "")}) == anew);
}

TEST_CASE("C55: 416 with our own length means that all was here", "[net][resume]") {
  const Folder folder;
  folder.write("f.part", content);
  const ScriptedServer server(honest_v1);
  Download wanted = to(server, folder / "f");
  folder.write("f.part.meta", to_text({source_of(wanted.url), "\"v1\"", "", 10}));
  wanted.checksum = sha256_of_helloworld;
  CHECK(fetch(wanted) == "416, 10 bytes");
  CHECK(folder.list() == "f");
  CHECK(folder.read("f") == content);
}

TEST_CASE("C55: 416 that names no version is believed with a checksum alone", "[net][resume]") {
  const Folder folder;
  folder.write("f.part", content);
  const ScriptedServer server(honest_v1);
  Download wanted = to(server, folder / "f");
  folder.write("f.part.meta", to_text({source_of(wanted.url), "\"v1\"", "", 10}));
  CHECK(fetch(wanted) == "200, 10 bytes");
  CHECK(server.requests().size() == 2);
  CHECK(folder.list() == "f");
}

TEST_CASE("C61: a resumed file with the wrong checksum is removed, and comes anew", "[net][resume]") {
  const Folder folder;
  folder.write("f", "old");
  folder.write("f.part", "jello");
  const ScriptedServer server(honest_v1);
  Download wanted = to(server, folder / "f");
  folder.write("f.part.meta", to_text({source_of(wanted.url), "\"v1\"", "", 10}));
  wanted.checksum = sha256_of_helloworld;
  CHECK(fetch(wanted).starts_with("checksum: "));
  CHECK(folder.list() == "f");
  CHECK(folder.read("f") == "old");
  CHECK(fetch(wanted) == "200, 10 bytes");
}

TEST_CASE("a rest that ends early is gone on from again", "[net][resume]") {
  const Folder folder;
  const ScriptedServer server([n = 0](const Asked& request) mutable {
    if (++n == 1) return whole("hello", 10, "\"v1\"");
    if (n == 2) return part_of_it("5-6/10", "\"v1\"", "wo");
    return honest_v1(request);
  });
  const Download wanted = to(server, folder / "f");
  fetch(wanted);
  CHECK(fetch(wanted) == "truncated: HOST sent a range that ends after 7 of 10 bytes");
  CHECK(fetch(wanted) == "206, 10 bytes");
  CHECK(value(server.requests().at(2), "range") == "bytes=7-");
  CHECK(folder.read("f") == content);
}

TEST_CASE("a failure that says nothing about the file leaves the part for later", "[net][resume]") {
  CHECK(after_cut([](const Asked&) { return Reply{response(503, "busy")}; }) ==
        "status 503: busy; [][bytes=5-]; f.part f.part.meta: hello");
  CHECK(after_cut([](const Asked&) { return Reply{"", Then::reset}; }) ==
        "truncated: HOST reset the connection before it answered; [][bytes=5-]; f.part f.part.meta: hello");
}

TEST_CASE("the part of another URL is not gone on from", "[net][resume]") {
  const Folder folder;
  const Cut server(honest_v1);
  Download wanted = to(server, folder / "f");
  fetch(wanted);
  wanted.url = server.url("/other");
  CHECK(fetch(wanted) == "200, 10 bytes");
  CHECK(value(server.requests().at(1), "range").empty());
}

TEST_CASE("the question for the rest goes where a redirect leads", "[net][resume]") {
  const Folder folder;
  const ScriptedServer elsewhere(honest_v1);
  const Cut server([&](const Asked&) {
    return Reply{response(302, "", fmt::format("Location: {}\r\n", elsewhere.url("/f")))};
  });
  const Download wanted = to(server, folder / "f");
  fetch(wanted);
  CHECK(fetch(wanted) == "206, 10 bytes");
  CHECK(value(elsewhere.requests().at(0), "range") == "bytes=5-");
}

TEST_CASE("a cancelled download leaves a part that can be gone on from", "[net][resume]") {
  const Folder folder;
  const ScriptedServer server([n = 0](const Asked& request) mutable {
    return ++n == 1 ? whole("hello", 10, "\"v1\"", Then::stall) : honest_v1(request);
  });
  const Download wanted = to(server, folder / "f");
  async::Loop loop;
  Session session(loop);
  const auto cancel_midway = [](async::Loop& on, Session& with, const Download& what) -> async::Co<> {
    auto task = on.create_task(download(with, what));
    std::error_code ignored;
    for (int i = 0; i < 2000 && fs::file_size(*what.output + ".part", ignored) != 5; ++i)
      co_await async::sleep(1ms);
    task.cancel();
    co_await task;
  };
  CHECK_THROWS_AS(loop.run(cancel_midway(loop, session, wanted)), async::Cancelled);
  CHECK(folder.list() == "f.part f.part.meta");
  CHECK(fetch(wanted) == "206, 10 bytes");
  CHECK(folder.read("f") == content);
}

TEST_CASE("a large part has its note before it ends, for runs that are killed", "[net][resume]") {
  const Folder folder;
  auto part = PartFile::create(folder / "f");
  REQUIRE(part);
  part->keep({source_of("http://a/"), "\"v1\"", "", std::nullopt});
  REQUIRE(part->write(std::string(1024, 'x')));
  CHECK(folder.list() == "f.part");
  REQUIRE(part->write(std::string(1024 * 1024, 'x')));
  CHECK(folder.list() == "f.part f.part.meta");
  CHECK(part->publish());
  CHECK(folder.list() == "f");
}

TEST_CASE("a note that is cut, changed or a link is none, and its part begins anew", "[net][resume]") {
  const Folder folder;
  const std::string text = to_text({source_of("http://a/"), "\"v1\"", "", 10});
  const auto size_with = [&](std::string_view note) {
    folder.write("f.part", "hello");
    folder.write("f.part.meta", note);
    const auto part = PartFile::create(folder / "f");
    return part ? part->size() : 99;
  };
  CHECK(size_with(text) == 5);
  std::size_t accepted = 0;
  for (std::size_t length = 0; length < text.size(); ++length) accepted += size_with(text.substr(0, length));
  CHECK(accepted == 0);
  CHECK(size_with(text + "\n") == 0);
  std::string padded = text;
  padded.insert(padded.find("total 10") + 6, "0");  // A number, but not as it is written.
  CHECK(size_with(padded) == 0);
  folder.write("note", text);
  fs::remove(folder / "f.part.meta");
  fs::create_symlink("note", folder / "f.part.meta");
  folder.write("f.part", "hello");
  CHECK(PartFile::create(folder / "f")->size() == 0);
  CHECK(folder.read("note") == text);
}

TEST_CASE("a note reads back as it was written", "[net][resume]") {
  for (const PartNote& note :
       {PartNote{source_of("a"), "\"x\"", "", std::nullopt}, PartNote{source_of("b"), "", "then", 0},
        PartNote{source_of("c"), "\"x y\"", "then", 1'000'000'000'000}})
    CHECK(parse_note(to_text(note)) == note);
}

TEST_CASE("Content-Range is read strictly", "[net][resume]") {
  CHECK(parse_content_range("bytes 2-9/10") == ContentRange{{{2, 9}}, 10});
  CHECK(parse_content_range("Bytes 0-0/*") == ContentRange{{{0, 0}}, std::nullopt});
  CHECK(parse_content_range("bytes */10") == ContentRange{std::nullopt, 10});
  for (const auto* bad : {"", "bytes", "bytes ", "bytes */*", "bytes 9-2/10", "bytes 2-10/10", "bytes -9/10",
                          "bytes 2-/10", "bytes 2-9", "bytes 2-9/", "bytes 2-9/x", "bytes +2-9/10",
                          "items 2-9/10", "bytes 2-9/10 ", "bytes 2-99999999999999999999/*"})
    CHECK_FALSE(parse_content_range(bad));
}

TEST_CASE("content that changes between attempts is never spliced", "[net][resume]") {
  // Every attempt may be cut anywhere, and the version may change at any time, at the same size.
  std::mt19937 random(7);
  const Folder folder;
  int version = 0;
  const ScriptedServer server([&](const Asked& request) {
    if (random() % 3 == 0) ++version;
    const std::string all(2000, static_cast<char>('a' + version % 26));
    Reply reply = honest(request, all, fmt::format("\"{}\"", version));
    if (random() % 2 == 0) {
      const std::size_t head = reply.bytes.find("\r\n\r\n") + 4;
      reply.bytes.resize(head + random() % (reply.bytes.size() - head + 1));
      reply.then = Then::close;
    }
    return reply;
  });
  const Download wanted = to(server, folder / "f");
  async::Loop loop;
  Session session(loop);
  int spliced = 0;
  int resumed = 0;
  for (int trial = 0; trial < 200; ++trial) {
    for (bool done = false; !done;) {
      const DownloadResult result = loop.run(download(session, wanted));
      const auto* const fetched = std::get_if<Fetched>(&result);
      done = fetched != nullptr;
      if (done && fetched->from == Fetched::From::resumed) ++resumed;
    }
    const std::string got = folder.read("f");
    if (got.size() != 2000 || got != std::string(2000, got[0])) ++spliced;
    fs::remove(folder / "f");
  }
  CHECK(spliced == 0);
  CHECK(resumed > 20);
}
