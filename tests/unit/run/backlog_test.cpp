#include "core/run/backlog.hpp"

#include "core/run/spooled_output.hpp"
#include "tests/unit/descriptors.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <filesystem>
#include <vector>

using gather::run::Backlog;
using gather::run::Output;
using gather::test::open_descriptors;

namespace {

/// An output that has spilled to a file of its own.
std::shared_ptr<const Output> written(char letter, std::size_t size) {
  gather::process::Spool spool(16);
  spool.append(std::string(size, letter));
  return gather::run::output(std::move(spool));
}

std::shared_ptr<const Output> in_memory(char letter, std::size_t size) {
  gather::process::Spool spool;
  spool.append(std::string(size, letter));
  return gather::run::output(std::move(spool));
}

std::string text_of(const Output& output) {
  std::string text;
  output.read([&](std::string_view piece) { text += piece; });
  return text;
}

/// What the file without a name takes up on the disk, in bytes; it is the only one that is open.
std::uint64_t disk_used() {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    struct stat file{};
    if (stat(entry.path().c_str(), &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink == 0)
      return static_cast<std::uint64_t>(file.st_blocks) * 512;
  }
  return 0;
}

}  // namespace

TEST_CASE("a hundred outputs that wait share one descriptor, and come back whole", "[run][backlog]") {
  const std::size_t before = open_descriptors();
  Backlog backlog(0);
  std::vector<std::shared_ptr<const Output>> kept;
  for (std::size_t i = 0; i < 100; ++i)
    kept.push_back(backlog.keep(written(static_cast<char>('a' + i % 26), 1000 * i + 17)));

  CHECK(open_descriptors() == before + 1);
  for (std::size_t i = 0; i < 100; ++i) {
    CHECK(kept[i]->size() == 1000 * i + 17);
    CHECK(text_of(*kept[i]) == std::string(1000 * i + 17, static_cast<char>('a' + i % 26)));
  }
}

TEST_CASE("small outputs wait in memory, as many as have room there", "[run][backlog]") {
  const std::size_t before = open_descriptors();
  Backlog backlog(1000);
  const auto first = backlog.keep(written('a', 600));
  auto second = backlog.keep(written('b', 400));
  CHECK(open_descriptors() == before);
  const auto third = backlog.keep(written('c', 1));
  CHECK(open_descriptors() == before + 1);
  CHECK(disk_used() > 0);
  second.reset();
  const std::uint64_t on_disk = disk_used();
  const auto fourth = backlog.keep(written('d', 400));
  CHECK(disk_used() == on_disk);
  CHECK(text_of(*first) == std::string(600, 'a'));
  CHECK(text_of(*third) == "c");
  CHECK(text_of(*fourth) == std::string(400, 'd'));
}

TEST_CASE("an output that is in memory waits as it is, and takes of the room there", "[run][backlog]") {
  const std::size_t before = open_descriptors();
  Backlog backlog(1000);
  auto original = in_memory('a', 600);
  const std::weak_ptr<const Output> life = original;
  auto kept = backlog.keep(original);
  original.reset();
  CHECK(!life.expired());
  CHECK(text_of(*kept) == std::string(600, 'a'));
  const auto other = backlog.keep(in_memory('b', 500));
  CHECK(open_descriptors() == before + 1);
  kept.reset();
  CHECK(life.expired());
  const auto third = backlog.keep(in_memory('c', 900));
  CHECK(open_descriptors() == before + 1);
  CHECK(text_of(*other) == std::string(500, 'b'));
  CHECK(text_of(*third) == std::string(900, 'c'));
}

TEST_CASE("a large output waits in the file even if memory has room", "[run][backlog]") {
  const std::size_t before = open_descriptors();
  Backlog backlog;
  const auto kept = backlog.keep(written('x', 100'000));
  CHECK(open_descriptors() == before + 1);
  CHECK(text_of(*kept) == std::string(100'000, 'x'));
}

TEST_CASE("what waited outlives the backlog, and takes its file along", "[run][backlog]") {
  const std::size_t memory = GENERATE(as<std::size_t>(), 0, 1000);
  const std::size_t before = open_descriptors();
  std::shared_ptr<const Output> kept;
  {
    Backlog backlog(memory);
    kept = backlog.keep(written('x', 100));
  }
  CHECK(text_of(*kept) == std::string(100, 'x'));
  kept.reset();
  CHECK(open_descriptors() == before);
}

TEST_CASE("what waits no longer gives its place on the disk back", "[run][backlog]") {
  constexpr std::size_t size = 1'000'000;
  Backlog backlog(0);
  auto stays = backlog.keep(written('s', 10));
  for (int i = 0; i < 20; ++i) backlog.keep(written('x', size));
  CHECK(disk_used() < 2 * size);
  CHECK(text_of(*stays) == "ssssssssss");
  stays.reset();
  const auto next = backlog.keep(written('n', 5));
  CHECK(disk_used() < 100'000);
  CHECK(text_of(*next) == "nnnnn");
}

TEST_CASE("both streams of an attempt wait, and one that wrote nothing stays nothing", "[run][backlog]") {
  Backlog backlog;
  const gather::run::AttemptOutput kept =
      backlog.keep({.attempt = 2, .out = nullptr, .err = written('e', 3)});
  CHECK(kept.attempt == 2);
  CHECK(kept.out == nullptr);
  CHECK(text_of(*kept.err) == "eee");
}
