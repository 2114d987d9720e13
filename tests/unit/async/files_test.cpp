#include "core/async/io/files.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/io/fs.hpp"
#include "core/async/thread/to_thread.hpp"
#include "tests/unit/async/loopback.hpp"
#include "tests/unit/descriptors.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::open_descriptors;
using gather::test::run_real;

namespace {

// Runs `body(directory)` with a directory of its own.
template <class Body>
void in_directory(Body body) {
  run_real([&body](Loop&) -> Co<> {
    const fs::TemporaryDirectory directory = co_await fs::temporary_directory();
    co_await body(directory.path());
  });
}

// Holds every thread of the loop's pool until it is opened, or dies.
class Pause {
 public:
  Pause() {
    for (std::size_t i = 0; i < Pool::default_size(); ++i)
      held_.push_back(run_in_executor(default_pool(), [opened = opened_] { opened->wait(); }));
  }
  ~Pause() { end(); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  void end() {
    if (!std::exchange(ended_, true)) opened_->count_down();
  }

 private:
  std::shared_ptr<std::latch> opened_ = std::make_shared<std::latch>(1);
  std::vector<Future<>> held_;
  bool ended_ = false;
};

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>('a' + i % 23);
  return bytes;
}

}  // namespace

TEST_CASE("a file that was written reads the same, in pieces and at once", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    const std::string bytes = pattern(3'000'000);
    File file = co_await open_file(directory / "f", "w+");
    co_await file.write(bytes);
    CHECK(file.tell() == bytes.size());
    CHECK(co_await file.read(10) == "");
    CHECK(co_await file.seek(0) == 0);
    CHECK(co_await file.read(10) == bytes.substr(0, 10));
    CHECK(co_await file.read(100'000) == bytes.substr(10, 100'000));
    CHECK(file.tell() == 100'010);
    CHECK(co_await file.read_all() == bytes.substr(100'010));
    CHECK(co_await file.read_all() == "");
    co_await file.close();
    CHECK(co_await read_file(directory / "f") == bytes);
  });
}

TEST_CASE("read_file and write_file take whole files of any size", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    for (const std::size_t size : {0UZ, 1UZ, 4096UZ, 65536UZ, 1UZ << 20, (1UZ << 20) + 1, 5'000'000UZ}) {
      const std::string bytes = pattern(size);
      co_await write_file(directory / "f", bytes);
      const std::string back = co_await read_file(directory / "f");
      CHECK(back == bytes);
      CHECK(back.capacity() <= size + 2 * 65536);
    }
    CHECK((co_await read_file("/proc/self/stat")).ends_with('\n'));  // A file that says it has no bytes.
  });
}

TEST_CASE("lines come one by one, whatever their length, the last one also without an end",
          "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    const std::string long_line = pattern(200'000);
    co_await write_file(directory / "f", "one\n\n" + long_line + "\nlast");
    File file = co_await open_file(directory / "f");
    CHECK(co_await file.readline() == "one\n");
    CHECK(file.tell() == 4);
    CHECK(co_await file.readline() == "\n");
    CHECK(co_await file.readline() == long_line + "\n");
    CHECK(co_await file.readline() == "last");
    CHECK(co_await file.readline() == "");
    co_await file.seek(0);
    std::vector<std::size_t> lengths;
    auto lines = file.lines();
    while (const auto line = co_await lines.next()) lengths.push_back(line->size());
    CHECK(lengths == std::vector<std::size_t>{3, 0, long_line.size(), 4});
  });
}

TEST_CASE("writing goes on where reading stopped, not where it has read ahead to", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await write_file(directory / "f", "one\ntwo\nsix\n");
    File file = co_await open_file(directory / "f", "r+");
    co_await file.readline();
    co_await file.write("2.0\n");
    CHECK(co_await file.readline() == "six\n");
    CHECK(co_await read_file(directory / "f") == "one\n2.0\nsix\n");
  });
}

TEST_CASE("modes are Python's: a appends, w empties, x insists on a new file, r on an old one",
          "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    const auto path = directory / "f";
    CHECK_THROWS_AS(co_await open_file(path), std::filesystem::filesystem_error);
    {
      File file = co_await open_file(path, "xb");
      co_await file.write("1234");
      CHECK_THROWS_AS(co_await file.read(1), std::filesystem::filesystem_error);  // Not open for reading.
    }
    CHECK_THROWS_AS(co_await open_file(path, "x"), std::filesystem::filesystem_error);
    {
      File file = co_await open_file(path, "a+");
      CHECK(file.tell() == 4);
      co_await file.seek(1);
      CHECK(co_await file.read(2) == "23");
      co_await file.write("56");
      CHECK(file.tell() == 6);
    }
    CHECK(co_await read_file(path) == "123456");
    co_await open_file(path, "w");
    CHECK(co_await read_file(path) == "");
    for (const char* const mode : {"", "+", "rw", "q", "b"})
      CHECK_THROWS_AS(co_await open_file(path, mode), std::invalid_argument);
  });
}

TEST_CASE("errors tell the file and errno", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    try {
      co_await open_file(directory / "nothing");
      FAIL("it is not there");
    } catch (const std::filesystem::filesystem_error& error) {
      CHECK(error.path1() == directory / "nothing");
      CHECK(error.code() == std::errc::no_such_file_or_directory);
      CHECK(error.what() ==
            "filesystem error: open: No such file or directory [" + (directory / "nothing").string() + "]");
    }
    CHECK_THROWS_WITH(co_await open_file(directory), Catch::Contains("Is a directory"));
    CHECK_THROWS_WITH(co_await write_file("/dev/full", "x"), Catch::Contains("No space left"));
  });
}

TEST_CASE("seek counts from the start, the position or the end", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    File file = co_await open_file(directory / "f", "w+");
    co_await file.write("0123456789");
    CHECK(co_await file.seek(-3, Whence::end) == 7);
    CHECK(co_await file.read(1) == "7");
    CHECK(co_await file.seek(-2, Whence::current) == 6);
    CHECK(co_await file.read(2) == "67");
    CHECK_THROWS_AS(co_await file.seek(-1), std::filesystem::filesystem_error);
    CHECK(file.tell() == 8);
    CHECK(co_await file.seek(12) == 12);
    co_await file.write("x");
    CHECK(co_await read_file(directory / "f") == std::string("0123456789\0\0x", 13));
  });
}

TEST_CASE("truncate cuts at the position or anywhere, and fills with zeros", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    File file = co_await open_file(directory / "f", "w+");
    co_await file.write("0123456789");
    co_await file.seek(4);
    co_await file.truncate();
    CHECK((co_await file.stat()).size == 4);
    co_await file.truncate(6);
    CHECK(file.tell() == 4);
    CHECK(co_await file.read_all() == std::string("\0\0", 2));
    co_await file.fsync();
    co_await file.fsync(true);
  });
}

TEST_CASE("read_at and write_at may run side by side, and leave the position alone", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    File file = co_await open_file(directory / "f", "w+");
    co_await file.write("....");
    std::vector<Co<>> writes;
    for (std::uint64_t i = 0; i < 50; ++i) writes.push_back(file.write_at(3 * i, "ab\n"));
    co_await gather::async::gather(std::move(writes));
    CHECK(file.tell() == 4);
    std::vector<Co<std::string>> reads;
    for (std::uint64_t i = 0; i < 50; ++i) reads.push_back(file.read_at(3 * i, 3));
    for (const std::string& each : co_await gather::async::gather(std::move(reads))) CHECK(each == "ab\n");
    CHECK(co_await file.read_at(149, 10) == "\n");
    CHECK(co_await file.read_at(500, 10) == "");
    CHECK(co_await file.read(2) == "b\n");
  });
}

TEST_CASE("two tasks can't go from one position at once, nor close a file in use", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    File file = co_await open_file(directory / "f", "w+");
    Pause pause;
    const auto read = [&file]() -> Co<> { co_await file.read(1); };
    const Task<> first = create_task(read());
    co_await yield();
    CHECK_THROWS_AS(co_await file.read(1), InvalidState);
    CHECK_THROWS_AS(co_await file.close(), InvalidState);
    pause.end();
    co_await first;
    co_await file.close();
    CHECK(file.is_closed());
    co_await file.close();
    CHECK_THROWS_AS(co_await file.read(1), InvalidState);
  });
}

TEST_CASE("cancelled in the queue a write never happens; under way it is waited for", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    File file = co_await open_file(directory / "f", "w+");
    const std::string bytes = pattern(8'000'000);
    const auto write = [&]() -> Co<> { co_await file.write(bytes); };
    {
      const Pause pause;
      const Task<> task = create_task(write());
      co_await yield();
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
    }
    CHECK((co_await file.stat()).size == 0);
    const Task<> task = create_task(write());
    while (file.tell() == 0) co_await yield();
    task.cancel();
    CHECK_THROWS_AS(co_await task, Cancelled);
    const std::uint64_t written = file.tell();
    CHECK(written < bytes.size());
    CHECK((co_await file.stat()).size == written);  // Nothing comes late.
    co_await file.write("!");                       // And the file is free again.
  });
}

TEST_CASE("a cancelled read loses nothing, not even from a pipe", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    REQUIRE(::mkfifo((directory / "p").c_str(), 0600) == 0);
    File pipe = co_await open_file(directory / "p", "r+");  // Both ends, so neither waits for the other.
    co_await pipe.write("one\ntw");
    CHECK(co_await pipe.readline() == "one\n");
    const auto read = [&pipe]() -> Co<> { co_await pipe.readline(); };
    const Task<> task = create_task(read());
    co_await yield();
    task.cancel();
    CHECK(::write(pipe.descriptor(), "o\n", 2) == 2);
    CHECK_THROWS_AS(co_await task, Cancelled);
    CHECK(co_await pipe.readline() == "two\n");
    CHECK(pipe.tell() == 8 + 6);
    CHECK_THROWS_WITH(co_await pipe.seek(0), Catch::Contains("Illegal seek"));
  });
}

TEST_CASE("no descriptor stays open when an open is cancelled, at any moment", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    co_await write_file(directory / "f", "x");
    co_await gather::async::sleep(0s);
    const std::size_t before = open_descriptors();
    const auto open_and_hold = [&]() -> Co<> {
      const File file = co_await open_file(directory / "f");
      co_await gather::async::sleep(1h);
    };
    for (int round = 0; round < 300; ++round) {
      const Task<> task = create_task(open_and_hold());
      for (int i = 0; i < round % 7; ++i) co_await yield();
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(open_descriptors() == before);
    }
  });
}

TEST_CASE("files are closed on exec, and with their owner", "[async][files]") {
  in_directory([](const std::filesystem::path& directory) -> Co<> {
    const std::size_t before = open_descriptors();
    {
      const File file = co_await open_file(directory / "f", "w");
      CHECK((::fcntl(file.descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
      CHECK(open_descriptors() == before + 1);
    }
    CHECK(open_descriptors() == before);
  });
}
