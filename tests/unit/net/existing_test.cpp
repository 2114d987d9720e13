#include "core/net/existing.hpp"

#include "core/net/part_file.hpp"
#include "core/net/part_note.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;
namespace fs = std::filesystem;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;

/// Sends "hello" as version "v1", or 304 to who has it.
struct Versioned : ScriptedServer {
  Versioned()
      : ScriptedServer([](const Asked& asked) {
          const auto has = asked.headers.find("if-none-match");
          if (has != asked.headers.end() && has->second == "\"v1\"")
            return Reply{"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"};
          return Reply{
              response(200, "hello", "ETag: \"v1\"\r\nLast-Modified: Sat, 01 Nov 2025 10:00:00 GMT\r\n")};
        }) {}
};

Download to(const ScriptedServer& server, const fs::path& output, IfExists if_exists) {
  Download wanted;
  wanted.url = server.url();
  wanted.output = output;
  wanted.if_exists = if_exists;
  return wanted;
}

const Checksum sha256_of_hello{Algorithm::sha256,
                               "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};

bool keeps_attributes(const Folder& folder) {
  folder.write("probe", "");
  const bool keeps = setxattr((folder / "probe").c_str(), "user.gather.probe", "x", 1, 0) == 0;
  fs::remove(folder / "probe");
  return keeps;
}

}  // namespace

TEST_CASE("an existing file with the right checksum is not fetched", "[net][existing]") {
  const Folder folder;
  folder.write("f", "hello");
  const Versioned server;
  Download wanted = to(server, folder / "f", IfExists::verify);
  wanted.checksum = sha256_of_hello;
  async::Loop loop;
  Session session(loop);
  const auto fetched = std::get<Fetched>(loop.run(download(session, wanted)));
  CHECK((fetched.from == Fetched::From::existing && fetched.status == 0 && fetched.bytes == 5));
  CHECK(fetched.digest == sha256_of_hello.hex);
  CHECK(server.requests().empty());

  folder.write("f", "jello");
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK(folder.read("f") == "hello");
}

TEST_CASE("skip, fail and overwrite do as they say", "[net][existing]") {
  const Folder folder;
  folder.write("f", "mine");
  const Versioned server;
  CHECK(fetch(to(server, folder / "f", IfExists::skip)) == "0, 4 bytes");
  CHECK(fetch(to(server, folder / "f", IfExists::fail)) ==
        "local: " + (folder / "f").native() + " is there already");
  CHECK(server.requests().empty());
  CHECK(folder.read("f") == "mine");
  CHECK(fetch(to(server, folder / "f", IfExists::overwrite)) == "200, 5 bytes");
  CHECK(folder.read("f") == "hello");
  CHECK(fetch(to(server, folder / "new", IfExists::skip)) == "200, 5 bytes");
  CHECK(fetch(to(server, folder / "newer", IfExists::fail)) == "200, 5 bytes");
}

TEST_CASE("without a checksum the server is asked whether the file has changed", "[net][existing]") {
  const Folder folder;
  const Versioned server;
  const Download wanted = to(server, folder / "f", IfExists::verify);
  CHECK(fetch(wanted) == "200, 5 bytes");
  const bool keeps = keeps_attributes(folder);  // Else it is fetched again, which is right, too.
  CHECK(fetch(wanted) == (keeps ? "304, 5 bytes" : "200, 5 bytes"));
  CHECK(folder.list() == "f");
  CHECK(folder.read("f") == "hello");

  folder.write("f", "mine!");  // Changed by hand: another time.
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK(folder.read("f") == "hello");

  Download other = wanted;  // Another URL.
  other.url = server.url("/other");
  CHECK(fetch(other) == "200, 5 bytes");
}

TEST_CASE(
    "a version is kept with the file in few bytes, and none that is damaged or no validator is believed",
    "[net][existing]") {
  const Folder folder;
  const std::string file = folder / "f";
  const auto version = [&] { return existing_file(file).value().version; };
  const auto stick = [&](const PartNote& note) {
    const int descriptor = open(file.c_str(), O_RDWR | O_CLOEXEC);
    stick_version(descriptor, note);
    close(descriptor);
  };
  const auto set = [&](const std::string& value) {
    REQUIRE(setxattr(file.c_str(), "user.gather.version", value.data(), value.size(), 0) == 0);
  };
  const auto held = [&] {
    std::array<char, 200> buffer;
    const ssize_t size = getxattr(file.c_str(), "user.gather.version", buffer.data(), buffer.size());
    return std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  folder.write("f", "hello");
  CHECK(!version());
  if (!keeps_attributes(folder)) return;
  PartNote note;
  note.source = source_of("http://a/");
  note.last_modified = "Sat, 01 Nov 2025 10:00:00 GMT";
  note.total = 5;
  stick(note);
  REQUIRE(version());
  CHECK(version()->source == note.source);
  CHECK(version()->validator() == note.last_modified);
  CHECK(held().size() <= 56);

  note.etag = "\"d41d8cd98f00b204e9800998ecf8427e-12\"";
  stick(note);
  REQUIRE(version());
  CHECK(version()->validator() == note.etag);
  CHECK(held().size() <= 56);

  const std::string good = held();
  for (const std::string& bad :
       {good.substr(0, 16), good.substr(0, 17), good.substr(0, 20), "1" + good.substr(1),
        good.substr(0, 17) + "W/\"weak\"", good.substr(0, 17) + "\"a\r\nX: y\"", std::string()}) {
    set(bad);
    CHECK(!version());
  }
  set(good);
  CHECK(version());
  folder.write("f", "hello, hello");
  CHECK(!version());
}

TEST_CASE("a server that has dates alone is asked by the date", "[net][existing]") {
  const Folder folder;
  const bool keeps = keeps_attributes(folder);  // Else it is fetched again.
  const std::string date = "Sat, 01 Nov 2025 10:00:00 GMT";
  const ScriptedServer server([&](const Asked& asked) {
    const auto since = asked.headers.find("if-modified-since");
    if (since != asked.headers.end() && since->second == date)
      return Reply{"HTTP/1.1 304 Not Modified\r\n\r\n"};
    return Reply{
        response(200, "hello", "Date: Sat, 01 Nov 2025 12:00:00 GMT\r\nLast-Modified: " + date + "\r\n")};
  });
  const Download wanted = to(server, folder / "f", IfExists::verify);
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK(fetch(wanted) == (keeps ? "304, 5 bytes" : "200, 5 bytes"));
}

TEST_CASE("C62: a link is never taken for the file", "[net][existing]") {
  const Folder folder;
  folder.write("victim", "hello");
  fs::create_symlink("victim", folder / "f");
  const Versioned server;
  Download wanted = to(server, folder / "f", IfExists::verify);
  wanted.checksum = sha256_of_hello;
  CHECK(fetch(wanted) == "200, 5 bytes");
  CHECK(fs::symlink_status(folder / "f").type() == fs::file_type::regular);
}

TEST_CASE("C50: a body above max_size is stopped, its length told or not", "[net][max_size]") {
  const Folder folder;
  folder.write("f", "old");
  const std::string large(50'000, 'x');
  const ScriptedServer told([&](const Asked&) { return Reply{response(200, large, "ETag: \"v1\"\r\n")}; });
  const ScriptedServer chunked([&](const Asked&) { return Reply{chunked_response(large, 1000)}; });
  for (const ScriptedServer* server : {&told, &chunked}) {
    Download wanted = to(*server, folder / "f", IfExists::overwrite);
    wanted.max_size = 49'999;
    CHECK(fetch(wanted) == "too-large: the body is longer than `max_size`, 49999 bytes");
    CHECK(folder.list() == "f");
    CHECK(folder.read("f") == "old");
    wanted.output.reset();
    CHECK(fetch(wanted) == "too-large: the body is longer than `max_size`, 49999 bytes");
    wanted.max_size = 50'000;
    CHECK(fetch(wanted) == "200, 50000 bytes");
  }
}

TEST_CASE("mode, time and fsync are as asked for", "[net][existing]") {
  const Folder folder;
  const Versioned server;
  Download wanted = to(server, folder / "f", IfExists::overwrite);
  wanted.mode = 0640;
  wanted.mtime = true;
  wanted.fsync = Fsync::full;
  CHECK(fetch(wanted) == "200, 5 bytes");
  struct stat found{};
  REQUIRE(stat((folder / "f").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0640);
  CHECK(found.st_mtim.tv_sec == 1761991200);
}

TEST_CASE("a large file has all its bytes before it gets its time and is looked into", "[net][existing]") {
  const Folder folder;
  // It comes in pieces of the size that is gathered, the last of them, too.
  constexpr std::size_t slice = PartFile::gathered_from;
  const std::string header = "Last-Modified: Sat, 01 Nov 2025 10:00:00 GMT\r\n";
  const std::size_t head = response(200, std::string(70 * slice, 'a'), header).size() - 70 * slice;
  const std::string body(70 * slice - head, 'a');
  ScriptedServer server([&](const Asked&) {
    return Reply{.bytes = response(200, body, header), .slice = slice, .pause = std::chrono::milliseconds(2)};
  });
  Download wanted = to(server, folder / "f", IfExists::overwrite);
  wanted.mtime = true;
  wanted.expect.body = [&](std::string_view text) {
    return text == body ? std::nullopt : std::optional<std::string>("not whole");
  };
  for (int i = 0; i < 3; ++i) {  // Two slices may yet come as one.
    REQUIRE(fetch(wanted) == fmt::format("200, {} bytes", body.size()));
    REQUIRE(folder.read("f") == body);
    struct stat found{};
    REQUIRE(stat((folder / "f").c_str(), &found) == 0);
    REQUIRE(found.st_mtim.tv_sec == 1761991200);
  }
}
