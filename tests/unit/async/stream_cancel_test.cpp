#include "core/async/combine/gather.hpp"
#include "core/async/combine/task_group.hpp"
#include "core/async/io/connect.hpp"
#include "core/async/io/server.hpp"
#include "tests/unit/async/loopback.hpp"
#include "tests/unit/descriptors.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <string>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::narrow;
using gather::test::open_descriptors;

namespace {

Co<> echo_lines(Stream stream) {
  narrow(stream);
  for (;;) {
    const std::string line = co_await stream.readline();
    if (line.empty()) co_return;
    stream.write(line);
    co_await stream.drain();
  }
}

constexpr std::size_t much = 1024 * 1024;  // More than narrow streams take at once.

// Goes through everything that waits for a connection, once.
Co<> talk() {
  ServerOptions served;
  served.limit = 2 * much;
  co_await with_server(start_server(echo_lines, "localhost", 0, served), [](Server& server) -> Co<> {
    ConnectionOptions options;
    options.happy_eyeballs_delay = 1ms;
    options.limit = 2 * much;
    Stream stream = co_await open_connection("localhost", server.port(), options);
    narrow(stream);
    const std::string line = std::string(much, 'x') + "\n";
    co_await task_group([&](TaskGroup& group) -> Co<> {
      group.create_task([](Stream& s, const std::string& bytes) -> Co<> {
        s.write(bytes);
        co_await s.drain();
        co_await s.send(bytes);
        s.write_eof();
      }(stream, line));
      co_await stream.readline();
      co_await stream.readexactly(1);
      co_await stream.read();
    });
    stream.close();
    co_await stream.wait_closed();
  });
}

}  // namespace

TEST_CASE("cancelled in any pass, a conversation leaves no handle, no descriptor and no task behind",
          "[async][stream][cancel]") {
  const std::size_t before = open_descriptors();
  bool ran_to_its_end = false;
  for (int passes = 0; !ran_to_its_end; passes = passes < 40 ? passes + 1 : passes + passes / 4) {
    Loop loop;
    loop.run(timeout(10s, [&]() -> Co<> {
      auto task = create_task(talk());
      for (int i = 0; i < passes && !task.done(); ++i) co_await yield();
      ran_to_its_end = !task.cancel();
      co_await gather_settled(task);
      REQUIRE(loop.all_tasks().size() == 1);
    }));
    REQUIRE(loop.timers() == 0);
  }
  CHECK(open_descriptors() == before);
}
