#include "core/net/part_file.hpp"

#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

using gather::net::part_of;
using gather::net::PartFile;
using gather::test::Folder;
using gather::test::Lowered;
namespace fs = std::filesystem;

namespace {

/// Why no part can be made for `name`, with the folder's own path left out.
std::string refusal(const Folder& folder, std::string_view name) {
  const auto part = PartFile::create(folder / name);
  if (part) return "";
  std::string why = part.error();
  for (std::size_t at; (at = why.find(folder.path().native() + "/")) != std::string::npos;)
    why.erase(at, folder.path().native().size() + 1);
  return why;
}

}  // namespace

TEST_CASE("the name appears with publish, and the part goes", "[net][part]") {
  const Folder folder;
  folder.write("a", "old");
  auto part = PartFile::create(folder / "a");
  REQUIRE(part);
  REQUIRE(part->write("new"));
  CHECK(folder.list() == "a a.part");
  CHECK(folder.read("a") == "old");
  CHECK(part->publish());
  CHECK(folder.list() == "a");
  CHECK(folder.read("a") == "new");
}

TEST_CASE("a part that is not published goes", "[net][part]") {
  const Folder folder;
  {
    auto part = PartFile::create(folder / "sub/a");
  }
  CHECK(folder.list() == "sub");
}

TEST_CASE("a second writer is refused while the first is at it", "[net][part]") {
  const Folder folder;
  {
    const auto first = PartFile::create(folder / "a");
    CHECK(refusal(folder, "a") == "a download of a is in progress already");
    CHECK(folder.list() == "a.part");
  }
  CHECK(refusal(folder, "a").empty());
}

TEST_CASE("what a killed run left is used again, from its beginning", "[net][part]") {
  const Folder folder;
  folder.write("a.part", "a long beginning");
  auto part = PartFile::create(folder / "a");
  REQUIRE(part);
  REQUIRE(part->write("new"));
  CHECK(part->publish());
  CHECK(folder.read("a") == "new");
}

TEST_CASE("an empty part, which its maker may not have locked yet, is replaced and never shared",
          "[net][part]") {
  const Folder folder;
  const int maker = open((folder / "a.part").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  REQUIRE(maker >= 0);
  auto part = PartFile::create(folder / "a");
  REQUIRE(part);
  CHECK(write(maker, "spoilt", 6) == 6);
  REQUIRE(part->write("new"));
  CHECK(part->publish());
  CHECK(folder.read("a") == "new");
  CHECK(folder.list() == "a");
  close(maker);
}

TEST_CASE("C62: what is no plain file is not replaced", "[net][part]") {
  const Folder folder;
  fs::create_directory(folder / "dir");
  mkfifo((folder / "fifo").c_str(), 0600);
  folder.write("file", "");
  fs::create_symlink("/dev/null", folder / "null");
  CHECK(refusal(folder, "dir") == "can't write dir: it is a folder");
  CHECK(refusal(folder, "fifo") == "can't write fifo: it is no plain file");
  CHECK(refusal(folder, "null") == "can't write null: it is no plain file");
  CHECK(refusal(folder, "file/a") == "can't write file/a: Not a directory");
  CHECK(refusal(folder, "new/") == "new/ names a folder, not a file");
  CHECK(refusal(folder, std::string(256, 'x')).ends_with("File name too long"));
}

TEST_CASE("C62: a link at the part is never followed", "[net][part]") {
  const Folder folder;
  folder.write("victim", "precious");
  fs::create_symlink("victim", folder / "a.part");
  CHECK(refusal(folder, "a") == "can't write a.part: it is a symbolic link, and is not followed; remove it");
  fs::create_hard_link(folder / "victim", folder / "b.part");
  CHECK(refusal(folder, "b") == "can't write b.part: it is no plain file; remove it");
  mkfifo((folder / "c.part").c_str(), 0600);
  CHECK(refusal(folder, "c") == "can't write c.part: it is no plain file; remove it");
  CHECK(folder.read("victim") == "precious");
}

TEST_CASE("C62: a link at the name is replaced, and where it led stays", "[net][part]") {
  const Folder folder;
  folder.write("victim", "precious");
  fs::create_symlink("victim", folder / "a");
  auto part = PartFile::create(folder / "a");
  REQUIRE(part);
  REQUIRE(part->write("new"));
  CHECK(part->publish());
  CHECK(fs::symlink_status(folder / "a").type() == fs::file_type::regular);
  CHECK(folder.read("victim") == "precious");
}

TEST_CASE("a part that was replaced by another file is left alone", "[net][part]") {
  const Folder folder;
  {
    auto part = PartFile::create(folder / "a");
    REQUIRE(part);
    fs::remove(folder / "a.part");
    folder.write("a.part", "somebody else's");
    CHECK_FALSE(part->publish());
  }
  CHECK(folder.list() == "a.part");
  CHECK(folder.read("a.part") == "somebody else's");
}

TEST_CASE("what can't be written is told with the file's name", "[net][part]") {
  const Folder folder;
  folder.write("a", "old");
  signal(SIGXFSZ, SIG_IGN);  // As the program does; a full disk takes the same way.
  {
    auto part = PartFile::create(folder / "a");
    REQUIRE(part);
    const Lowered limit(RLIMIT_FSIZE, 1000);
    CHECK(part->write(std::string(2000, 'x')).error() ==
          "can't write " + (folder / "a.part").native() + ": File too large");
  }
  CHECK(folder.list() == "a");
  CHECK(folder.read("a") == "old");
}

namespace {

/// As many as make a part large, and what they are.
std::string megabyte() {
  std::string bytes(1024UL * 1024, 'm');
  for (std::size_t i = 0; i < bytes.size(); i += 997) bytes[i] = static_cast<char>('a' + i % 26);
  return bytes;
}

/// One of those that are gathered, different for each number.
std::string long_piece(int number) {
  return std::string(PartFile::gathered_from, static_cast<char>('A' + number));
}

}  // namespace

TEST_CASE("long pieces of a large part are gathered, and a short one takes them along", "[net][part]") {
  const Folder folder;
  auto part = PartFile::create(folder / "a");
  REQUIRE(part);
  std::string all = megabyte();
  const auto write = [&](const std::string& piece) {
    REQUIRE(part->write(piece));
    all += piece;
    CHECK(part->size() == all.size());
  };
  REQUIRE(part->write(all));
  write(long_piece(0));
  write(long_piece(1));
  CHECK(folder.read("a.part").size() == 1024UL * 1024);
  write("short");
  CHECK(folder.read("a.part") == all);
  // As many as there is room for are written when that is full, also where their lengths don't divide it.
  for (int i = 0; i < 8; ++i) write(long_piece(i));
  CHECK(folder.read("a.part") == all);
  for (int i = 0; i < 6; ++i) write(long_piece(i) + "more");
  CHECK(folder.read("a.part").size() < all.size());
  write(std::string(PartFile::most_gathered, 'z'));
  write(std::string(2 * PartFile::most_gathered, 'y'));
  write(long_piece(9));
  CHECK(folder.read("a.part").size() == all.size() - PartFile::gathered_from);
  CHECK(part->flush());
  CHECK(folder.read("a.part") == all);
  write(long_piece(10));
  CHECK(part->publish());
  CHECK(folder.read("a") == all);
}

TEST_CASE("a part that is left has all that was written, and one that starts over nothing", "[net][part]") {
  const Folder folder;
  const gather::net::PartNote note{gather::net::source_of("http://a/b"), "\"tag\"", "", std::nullopt};
  {
    auto part = PartFile::create(folder / "a");
    REQUIRE(part);
    part->keep(note);
    REQUIRE(part->write(megabyte()));
    REQUIRE(part->write(long_piece(0)));
    const PartFile moved = std::move(*part);
    CHECK(moved.size() == megabyte().size() + PartFile::gathered_from);
  }
  CHECK(folder.read("a.part") == megabyte() + long_piece(0));
  {
    auto part = PartFile::create(folder / "a");
    REQUIRE(part);
    REQUIRE(part->note() == note);
    REQUIRE(part->write(long_piece(1)));
    REQUIRE(part->start_over());
    CHECK(part->size() == 0);
    REQUIRE(part->write("new"));
    CHECK(part->publish());
  }
  CHECK(folder.read("a") == "new");
}

TEST_CASE("what was gathered and can't be written fails the part, at the end at the latest", "[net][part]") {
  const Folder folder;
  signal(SIGXFSZ, SIG_IGN);
  const auto fails = [&](const auto& step) {
    auto part = PartFile::create(folder / "a");
    REQUIRE(part);
    part->keep({gather::net::source_of("http://a/b"), "\"tag\"", "", std::nullopt});
    REQUIRE(part->write(megabyte()));
    REQUIRE(part->write(long_piece(0)));
    const Lowered limit(RLIMIT_FSIZE, megabyte().size() + 100);
    CHECK_FALSE(step(*part));
    CHECK_FALSE(part->note().has_value());
  };
  fails([](PartFile& part) { return part.write("short"); });
  CHECK(folder.list().empty());
  fails([](PartFile& part) { return part.flush(); });
  CHECK(folder.list().empty());
  fails([](PartFile& part) { return part.publish(); });
  CHECK(folder.list().empty());
}

TEST_CASE("C64: a name of 255 bytes has a part of its own", "[net][part]") {
  const Folder folder;
  const std::string one = std::string(254, 'x') + "1";
  const std::string two = std::string(254, 'x') + "2";
  auto first = PartFile::create(folder / one);
  auto second = PartFile::create(folder / two);
  REQUIRE((first && second));
  CHECK(std::filesystem::path(part_of((folder / one).native())).filename().native().size() == 255);
  REQUIRE(first->write("1"));
  CHECK((first->publish() && second->publish()));
  CHECK(folder.list() == one + " " + two);
}
