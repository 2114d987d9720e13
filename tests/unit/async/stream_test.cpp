#include "core/async/io/stream.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/combine/task_group.hpp"
#include "core/async/task/error.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::connect;
using gather::test::connected_pair;
using gather::test::Pair;
using gather::test::read_all;
using gather::test::run_real;
using gather::test::serve;

namespace {

Co<> echo(Stream stream) {
  for (;;) {
    const std::string piece = co_await stream.read_some();
    if (piece.empty()) co_return;
    co_await stream.write(piece);
  }
}

// What no kernel buffers (Linux keeps 10 MB by default), of a period that no chunk size divides.
std::string more_than_fits() {
  std::string bytes(24 * 1024 * 1024, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

Co<> write_all(Stream& stream, const std::string& bytes) { co_await stream.write(bytes); }

template <class Error, class Read>
Co<std::string> partial_of(Read read) {
  try {
    co_await read();
  } catch (const Error& error) {
    co_return error.partial();
  }
  co_return "no error";
}

}  // namespace

TEST_CASE("what is written comes back from an echo server, and the end does too", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::string> {
          const Server server = serve(loop, echo);
          Stream stream = co_await connect(server);
          co_await stream.write("hello, ");
          co_await stream.write("world");
          co_await stream.shutdown();
          co_return co_await read_all(stream);
        }) == "hello, world");
}

TEST_CASE("200 connections at once are served concurrently, each with its own bytes", "[async][stream]") {
  const auto answers = run_real([](Loop& loop) -> Co<std::vector<std::string>> {
    const Server server = serve(loop, echo);
    std::vector<Stream> streams;  // All are open before the first byte is sent.
    for (int i = 0; i < 200; ++i) streams.push_back(co_await connect(server));
    std::vector<Co<std::string>> bodies;
    for (std::size_t i = 0; i < streams.size(); ++i)
      bodies.push_back([](Stream& stream, std::size_t number) -> Co<std::string> {
        const std::string sent = fmt::format("{}\n", number);
        co_await stream.write(sent);
        co_return co_await stream.read_exactly(sent.size());
      }(streams[i], i));
    co_return co_await gather::async::gather(std::move(bodies));
  });
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) expected.push_back(fmt::format("{}\n", i));
  CHECK(answers == expected);
}

TEST_CASE("24 MiB arrive whole and in order through a slow reader", "[async][stream]") {
  const std::string sent = more_than_fits();
  const std::string received = run_real([&](Loop& loop) -> Co<std::string> {
    Pair pair = co_await connected_pair(loop);
    co_return co_await task_group([&](TaskGroup& group) -> Co<std::string> {
      group.spawn([](Stream& stream, const std::string& bytes) -> Co<> {
        co_await stream.write(bytes);
        co_await stream.shutdown();
      }(pair.near, sent));
      co_await sleep(5ms);
      co_return co_await read_all(pair.far);
    });
  });
  CHECK((received == sent));  // In parentheses: nobody wants to see it printed.
}

TEST_CASE("read_some gives at most what was asked for, and nothing at the end", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::vector<std::string>> {
          Pair pair = co_await connected_pair(loop);
          co_await pair.near.write("abcde");
          pair.near.close();
          std::vector<std::string> pieces;
          for (int i = 0; i < 4; ++i) pieces.push_back(co_await pair.far.read_some(2));
          co_return pieces;
        }) == std::vector<std::string>{"ab", "cd", "e", ""});
}

TEST_CASE("C1: read_until gives up to and including the delimiter, also when it comes in pieces",
          "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::vector<std::string>> {
          Pair pair = co_await connected_pair(loop);
          std::vector<std::string> lines;
          co_await task_group([&](TaskGroup& group) -> Co<> {
            group.spawn([](Stream& stream) -> Co<> {
              for (const char* piece : {"one\r", "\ntwo\r\n\r", "\n", "rest"}) {
                co_await stream.write(piece);
                co_await sleep(1ms);
              }
            }(pair.near));
            for (int i = 0; i < 3; ++i) lines.push_back(co_await pair.far.read_until("\r\n"));
            lines.push_back(co_await pair.far.read_exactly(4));
          });
          co_return lines;
        }) == std::vector<std::string>{"one\r\n", "two\r\n", "\r\n", "rest"});
}

TEST_CASE("C1: the limit of read_until counts the bytes before the delimiter", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::string> {
          Pair pair = co_await connected_pair(loop);
          co_await pair.near.write("abcd\n");
          co_return co_await pair.far.read_until("\n", 4);
        }) == "abcd\n");
}

TEST_CASE("C1: over the limit the error carries what came, and the bytes stay", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    for (const char* sent : {"abcd\n", "abcdef"}) {  // The delimiter too late, and not at all.
      Pair pair = co_await connected_pair(loop);
      co_await pair.near.write(sent);
      CHECK(co_await partial_of<LimitOverrun>([&] { return pair.far.read_until("\n", 3); }) == sent);
      CHECK(co_await pair.far.read_some() == sent);
    }
  });
}

TEST_CASE("C1: at the end the error carries what came", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    for (const bool exactly : {false, true}) {
      Pair pair = co_await connected_pair(loop);
      co_await pair.near.write("half a li");
      pair.near.close();
      if (exactly)
        CHECK(co_await partial_of<IncompleteRead>([&] { return pair.far.read_exactly(10); }) == "half a li");
      else
        CHECK(co_await partial_of<IncompleteRead>([&] { return pair.far.read_until("\n"); }) == "half a li");
      CHECK(co_await pair.far.read_some() == "");
      CHECK(pair.far.at_end());
    }
  });
}

TEST_CASE("a cancelled read loses no byte", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::string> {
          Pair pair = co_await connected_pair(loop);
          auto reader = loop.create_task([](Stream& stream) -> Co<std::string> {
            co_return co_await stream.read_until("\n");
          }(pair.far));
          co_await yield();
          co_await pair.near.write("first half, ");
          for (int i = 0; i < 3; ++i) co_await yield();  // It has come, and is not enough.
          reader.cancel();
          co_await pair.near.write("second half\n");
          co_await yield();
          CHECK(reader.cancelled());
          co_return co_await pair.far.read_until("\n");
        }) == "first half, second half\n");
}

TEST_CASE("one task reads at a time", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    auto reader = loop.create_task(read_all(pair.far));
    co_await yield();
    CHECK_THROWS_AS(co_await pair.far.read_some(), InvalidState);
    pair.near.close();
    CHECK(co_await reader == "");
  });
}

TEST_CASE("C1: a write to a peer that does not read waits, until the peer reads", "[async][stream]") {
  const std::string bytes = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    auto writer = loop.create_task(write_all(pair.near, bytes));
    for (int i = 0; i < 100; ++i) co_await yield();
    CHECK_FALSE(writer.done());
    std::size_t received = 0;
    while (!writer.done()) received += (co_await pair.far.read_some()).size();
    pair.near.close();
    received += (co_await read_all(pair.far)).size();
    CHECK(received == bytes.size());
  });
}

TEST_CASE("a waiting write or shutdown can be cancelled, and its memory goes with the stream",
          "[async][stream]") {
  run_real([&](Loop& loop) -> Co<> {
    std::string bytes = more_than_fits();
    Pair pair = co_await connected_pair(loop);
    CHECK_THROWS_AS(co_await timeout(5ms, [&]() -> Co<> { co_await pair.near.write(bytes); }), TimeoutError);
    CHECK_THROWS_AS(co_await timeout(5ms, [&]() -> Co<> { co_await pair.near.shutdown(); }), TimeoutError);
    std::string().swap(bytes);  // What is queued does not need the caller's bytes any more.
    CHECK((co_await pair.far.read_exactly(1000)).size() == 1000);
  });
}

TEST_CASE("close ends a waiting read and a waiting write with ECANCELED", "[async][stream]") {
  const std::string bytes = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    auto reader = loop.create_task(read_all(pair.near));
    auto writer = loop.create_task(write_all(pair.near, bytes));
    for (int i = 0; i < 10; ++i) co_await yield();
    CHECK_FALSE((reader.done() || writer.done()));
    pair.near.close();
    CHECK_THROWS_WITH(co_await reader, "read: Operation canceled");
    CHECK_THROWS_WITH(co_await writer, "write: Operation canceled");
    CHECK_THROWS_WITH(co_await pair.near.write("x"), "write: Operation canceled");
    CHECK_THROWS_WITH(co_await pair.near.shutdown(), "shutdown: Operation canceled");
  });
}

TEST_CASE("a peer that has gone makes writing an error and kills nobody", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.far.close();
    int code = 0;
    while (code == 0) {  // The first write may still be taken; the peer's reset comes back for it.
      try {
        co_await pair.near.write("x");
        co_await yield();
      } catch (const StreamError& error) {
        code = error.code();
      }
    }
    CHECK((code == EPIPE || code == ECONNRESET));
  });
}

TEST_CASE("a refused connection is an error that says where", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Server server = serve(loop, echo);
    const std::uint16_t port = server.port();
    server.close();
    CHECK_THROWS_WITH(co_await open_connection("127.0.0.1", port),
                      fmt::format("can't connect to 127.0.0.1:{}: Connection refused", port));
    CHECK_THROWS_WITH(
        co_await open_connection("nowhere.example", port),
        "nowhere.example is no numeric address such as 127.0.0.1 or ::1; names are not looked up "
        "here");
  });
}

TEST_CASE("the ends of a pipe are streams: one writes, the other reads to the end", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    Stream reader = open_pipe(loop, ends[0]);
    Stream writer = open_pipe(loop, ends[1]);
    co_await writer.write("through the pipe");
    CHECK_THROWS_AS(co_await writer.read_some(), StreamError);
    CHECK_THROWS_AS(co_await reader.write("back"), StreamError);
    writer.close();
    CHECK(co_await read_all(reader) == "through the pipe");
  });
}

TEST_CASE("open_pipe closes a descriptor that is no pipe", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    const int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    CHECK_THROWS_WITH(open_pipe(loop, file), "open a pipe: Operation not supported");
    CHECK(fcntl(file, F_GETFD) == -1);
    co_return;
  });
}

TEST_CASE("a connection attempt can be cancelled", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    const Server server = serve(loop, echo);
    auto attempt = loop.create_task(connect(server));
    co_await yield();  // It runs, and is parked on the connect.
    attempt.cancel();
    while (!attempt.done()) co_await yield();
    CHECK(attempt.cancelled());
  });
}
