#include "core/async/loop/watch.hpp"

#include "core/base/error.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>

using namespace gather::async;
using gather::test::run_real;

TEST_CASE("a task waits until a descriptor is readable", "[async][watch]") {
  run_real([](Loop& loop) -> Co<> {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    loop.call_soon([&] { CHECK(write(ends[1], "x", 1) == 1); });
    co_await Readable(ends[0]);
    char byte = 0;
    CHECK(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    close(ends[1]);
  });
}

TEST_CASE("a descriptor that can't be watched is an error, and leaves the task whole", "[async][watch]") {
  run_real([](Loop& loop) -> Co<> {
    const Task<> task = loop.create_task([]() -> Co<> {
      const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);  // Regular files are always readable.
      bool refused = false;
      try {
        co_await Readable(file);
      } catch (const gather::Error&) {
        refused = true;
      }
      close(file);
      CHECK(refused);
      co_await sleep(std::chrono::hours(1));
    }());
    co_await yield();
    co_await yield();
    task.cancel();
    co_await yield();
    CHECK(task.cancelled());
  });
}
