// A small body whose name is new needs no part: its file is written before it has a name.
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <set>
#include <string>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
namespace fs = std::filesystem;

namespace {

using Reply = ScriptedServer::Reply;

/// The names that appear in a folder from now on.
class NamesMade {
 public:
  explicit NamesMade(const Folder& folder) : watch_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    REQUIRE(inotify_add_watch(watch_, folder.path().c_str(), IN_CREATE | IN_MOVED_TO) >= 0);
  }
  NamesMade(const NamesMade&) = delete;
  NamesMade& operator=(const NamesMade&) = delete;
  ~NamesMade() { close(watch_); }

  std::set<std::string> names() const {
    std::set<std::string> found;
    alignas(inotify_event) std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = read(watch_, buffer.data(), buffer.size())) > 0;)
      for (ssize_t at = 0; at < size;) {
        const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        found.insert(event->name);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    return found;
  }

 private:
  int watch_;
};

struct Fixture {
  explicit Fixture(std::function<Reply()> answer = [] { return Reply{response(200, "hello")}; })
      : server([answer](const ScriptedServer::Request&) { return answer(); }) {}

  Download to(const std::string& name, IfExists if_exists = IfExists::verify) {
    Download wanted;
    wanted.url = server.url();
    wanted.output = folder / name;
    wanted.if_exists = if_exists;
    wanted.folders = &folders;
    return wanted;
  }

  Folder folder;
  OutputFolders folders;
  ScriptedServer server;
};

using Names = std::set<std::string>;

}  // namespace

TEST_CASE("a small body that is new to its folder gets its file at once", "[net][at_once]") {
  Fixture one;
  const NamesMade made(one.folder);
  umask(022);
  CHECK(fetch(one.to("a")) == "200, 5 bytes");
  CHECK(one.folder.read("a") == "hello");
  CHECK(made.names() == Names{"a"});
  struct stat found{};
  REQUIRE(stat((one.folder / "a").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0644);
}

TEST_CASE("the file is made by a thread, or without one if none can be started", "[net][at_once]") {
  pthread_attr_t usual;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  pthread_attr_t impossible = usual;
  REQUIRE(pthread_attr_setstacksize(&impossible, std::size_t{1} << 50U) == 0);
  Fixture one([&] {  // On a thread of its own.
    pthread_setattr_default_np(&impossible);
    return Reply{response(200, "hello")};
  });
  CHECK(fetch(one.to("a")) == "200, 5 bytes");
  CHECK(one.folders.maker().threads() == 0);
  impossible = usual;
  REQUIRE(pthread_setattr_default_np(&usual) == 0);
  CHECK(fetch(one.to("b")) == "200, 5 bytes");
  CHECK(one.folders.maker().threads() == 1);
  CHECK(one.folder.list() == "a b");
}

TEST_CASE("an empty body, too", "[net][at_once]") {
  Fixture one([] { return Reply{response(200, "")}; });
  const NamesMade made(one.folder);
  CHECK(fetch(one.to("a")) == "200, 0 bytes");
  CHECK(one.folder.read("a").empty());
  CHECK(made.names() == Names{"a"});
}

TEST_CASE("its mode, size, checksum and content are held to all that is asked", "[net][at_once]") {
  Fixture one;
  Download wanted = one.to("a");
  wanted.mode = 0600;
  CHECK(fetch(wanted) == "200, 5 bytes");
  struct stat found{};
  REQUIRE(stat((one.folder / "a").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);

  wanted = one.to("b");
  wanted.checksum = {Algorithm::sha256, std::string(64, '0')};
  CHECK(fetch(wanted) == "checksum: 2cf24dba is not 00000000");
  wanted = one.to("b");
  wanted.expect.body = [](std::string_view body) { return "it says " + std::string(body); };
  CHECK(fetch(wanted) == "not as expected: it says hello");
  wanted = one.to("b");
  wanted.max_size = 4;
  CHECK(fetch(wanted) == "too-large: the body is longer than `max_size`, 4 bytes");
  CHECK(one.folder.list() == "a");
}

TEST_CASE("a body that comes in pieces, of unknown length or large has a part", "[net][at_once]") {
  SECTION("in pieces") {
    Fixture one(
        [] { return Reply{response(200, "hello"), {}, 0ms, response(200, "hello").size() - 2, 20ms}; });
    const NamesMade made(one.folder);
    CHECK(fetch(one.to("a")) == "200, 5 bytes");
    CHECK(made.names() == Names{"a", "a.part"});
  }
  SECTION("of unknown length") {
    Fixture one(
        [] { return Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}; });
    const NamesMade made(one.folder);
    CHECK(fetch(one.to("a")) == "200, 5 bytes");
    CHECK(made.names() == Names{"a", "a.part"});
  }
  SECTION("large") {
    Fixture one([] { return Reply{response(200, std::string(20'000, 'x'))}; });
    const NamesMade made(one.folder);
    CHECK(fetch(one.to("a")) == "200, 20000 bytes");
    CHECK(made.names() == Names{"a", "a.part"});
  }
}

TEST_CASE("a name or a part that is there is looked at as ever", "[net][at_once]") {
  Fixture one;
  one.folder.write("a", "hello");
  one.folder.write("b.part", "old");
  Download known = one.to("a");
  known.checksum = {Algorithm::sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"};
  CHECK(fetch(known) == "0, 5 bytes");
  const NamesMade made(one.folder);
  CHECK(fetch(one.to("b")) == "200, 5 bytes");
  CHECK(made.names() == Names{"b"});  // Renamed.
  CHECK(one.folder.list() == "a b");
}

TEST_CASE("a file that appears meanwhile is replaced by a whole one, a folder is not", "[net][at_once]") {
  std::function<void()> meanwhile;
  Fixture one([&] {
    meanwhile();
    return Reply{response(200, "hello")};
  });
  meanwhile = [&] { one.folder.write("a", "somebody else's"); };
  CHECK(fetch(one.to("a")) == "200, 5 bytes");
  CHECK(one.folder.read("a") == "hello");
  meanwhile = [&] { fs::create_directory(one.folder / "b"); };
  CHECK(fetch(one.to("b")) == "local: can't write " + (one.folder / "b").native() + ": it is a folder");
  CHECK(one.folder.list() == "a b");
}

TEST_CASE("who must not replace anything looks first", "[net][at_once]") {
  Fixture one;
  CHECK(one.folders.absent_from((one.folder / "a").native()) >= 0);  // The folder has been read.
  one.folder.write("a", "mine");
  CHECK(fetch(one.to("a", IfExists::fail)) == "local: " + (one.folder / "a").native() + " is there already");
  CHECK(fetch(one.to("a", IfExists::skip)) == "0, 4 bytes");
  CHECK(one.folder.read("a") == "mine");
}

TEST_CASE("a folder that has gone is made again", "[net][at_once]") {
  Fixture one;
  fs::create_directory(one.folder / "sub");
  CHECK(one.folders.absent_from((one.folder / "sub/a").native()) >= 0);
  fs::remove(one.folder / "sub");
  CHECK(fetch(one.to("sub/a")) == "200, 5 bytes");
  CHECK(one.folder.list() == "sub sub/a");
}

TEST_CASE("output folders know what was there, and what may have come", "[net][at_once]") {
  const Folder folder;
  folder.write("a", "");
  folder.write("b.part", "");
  OutputFolders folders;
  CHECK(folders.absent_from((folder / "a").native()) == -1);
  CHECK(folders.absent_from((folder / "b").native()) == -1);
  CHECK(folders.absent_from((folder / "none/x").native()) == -1);
  const int found = folders.absent_from((folder / "c").native());
  CHECK(found >= 0);
  CHECK(folders.absent_from((folder / "d").native()) == found);
  folders.appeared((folder / "c").native());
  CHECK(folders.absent_from((folder / "c").native()) == -1);
}
