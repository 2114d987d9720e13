#include "core/async/io/fs.hpp"

#include "core/async/loop/running.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_real;

namespace {

using std::filesystem::file_type;
using std::filesystem::filesystem_error;
using std::filesystem::perms;

// Runs `body(directory)` with a directory of its own.
template <class Body>
void in_directory(Body body) {
  run_real([&body](Loop&) -> Co<> {
    const fs::TemporaryDirectory directory = co_await fs::temporary_directory();
    co_await body(directory.path());
  });
}

}  // namespace

TEST_CASE("stat tells type, size, mode and times; exists asks whether there is anything", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await write_file(directory / "f", "12345");
    co_await fs::chmod(directory / "f", perms::owner_read | perms::owner_write);
    const fs::Status status = co_await fs::stat(directory / "f");
    CHECK(status.type == file_type::regular);
    CHECK(status.size == 5);
    CHECK(status.mode == (perms::owner_read | perms::owner_write));
    CHECK(status.links == 1);
    CHECK(std::chrono::abs(std::chrono::system_clock::now() - status.modified) < 1min);
    CHECK((co_await fs::stat(directory)).type == file_type::directory);
    CHECK(co_await fs::exists(directory / "f"));
    CHECK(!co_await fs::exists(directory / "g"));
    CHECK_THROWS_WITH(co_await fs::stat(directory / "g"), Catch::Contains("No such file"));
  });
}

TEST_CASE("rename takes the place of another file, remove takes files and not directories",
          "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await write_file(directory / "a", "new");
    co_await write_file(directory / "b", "old");
    co_await fs::rename(directory / "a", directory / "b");
    CHECK(co_await read_file(directory / "b") == "new");
    co_await fs::remove(directory / "b");
    CHECK(co_await fs::listdir(directory) == std::vector<std::string>{});
    CHECK_THROWS_AS(co_await fs::remove(directory), filesystem_error);
    CHECK_THROWS_AS(co_await fs::rename(directory / "a", directory / "b"), filesystem_error);
  });
}

TEST_CASE("directories are made, listed and removed", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await fs::mkdir(directory / "d", perms::owner_all);
    CHECK_THROWS_WITH(co_await fs::mkdir(directory / "d"), Catch::Contains("File exists"));
    co_await fs::makedirs(directory / "d/e/f");
    co_await fs::makedirs(directory / "d/e/f");
    co_await write_file(directory / "d/file", "");
    co_await fs::symlink("file", directory / "d/link");
    std::vector<fs::DirEntry> entries = co_await fs::scandir(directory / "d");
    std::ranges::sort(entries, {}, &fs::DirEntry::name);
    REQUIRE(entries.size() == 3);
    CHECK((entries[0].name == "e" && entries[0].type == file_type::directory));
    CHECK((entries[1].name == "file" && entries[1].type == file_type::regular));
    CHECK((entries[2].name == "link" && entries[2].type == file_type::symlink));
    CHECK_THROWS_WITH(co_await fs::rmdir(directory / "d"), Catch::Contains("not empty"));
    CHECK(co_await fs::remove_all(directory / "d") == 5);
    CHECK(co_await fs::remove_all(directory / "d") == 0);
    CHECK_THROWS_AS(co_await fs::scandir(directory / "d"), filesystem_error);
  });
}

TEST_CASE("links are made and read; lstat sees the link, stat what it leads to", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await fs::symlink("target", directory / "link");
    CHECK(co_await fs::readlink(directory / "link") == "target");
    CHECK((co_await fs::lstat(directory / "link")).type == file_type::symlink);
    CHECK(!co_await fs::exists(directory / "link"));
    co_await write_file(directory / "target", "x");
    CHECK((co_await fs::stat(directory / "link")).type == file_type::regular);
  });
}

TEST_CASE("copy_file takes content and permissions, over what was there", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await write_file(directory / "a", "content");
    co_await fs::chmod(directory / "a", perms::owner_read);
    co_await fs::copy_file(directory / "a", directory / "b");
    CHECK(co_await read_file(directory / "b") == "content");
    CHECK((co_await fs::stat(directory / "b")).mode == perms::owner_read);
    co_await write_file(directory / "c", "longer than that");
    co_await fs::copy_file(directory / "a", directory / "c");
    CHECK(co_await read_file(directory / "c") == "content");
  });
}

TEST_CASE("a temporary file has no name; a temporary directory goes with its owner", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    File file = co_await fs::temporary_file(directory);
    co_await file.write("x");
    co_await file.seek(0);
    CHECK(co_await file.read_all() == "x");
    CHECK(co_await fs::listdir(directory) == std::vector<std::string>{});

    std::filesystem::path path;
    {
      const fs::TemporaryDirectory mine = co_await fs::temporary_directory("mine-", directory);
      path = mine.path();
      CHECK(path.filename().string().starts_with("mine-"));
      CHECK((co_await fs::stat(path)).mode == perms::owner_all);
      co_await write_file(path / "f", "x");
    }
    CHECK(!co_await fs::exists(path));

    fs::TemporaryDirectory other = co_await fs::temporary_directory("mine-", directory);
    path = other.path();
    co_await other.remove();
    co_await other.remove();
    CHECK(!co_await fs::exists(path));
    CHECK_THROWS_AS(co_await fs::temporary_directory("x", directory / "nothing"), filesystem_error);
  });
}

TEST_CASE("a directory that was made for a caller who is cancelled goes again", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    const auto hold = [&]() -> Co<> {
      const auto mine = co_await fs::temporary_directory("mine-", directory);
      co_await gather::async::sleep(1h);
    };
    for (int round = 0; round < 100; ++round) {
      const Task<> task = create_task(hold());
      for (int i = 0; i < round % 6; ++i) co_await yield();
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK((co_await fs::listdir(directory)).empty());
    }
  });
}
