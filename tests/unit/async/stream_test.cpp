#include "core/async/io/stream.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/combine/task_group.hpp"
#include "core/async/task/error.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::connect;
using gather::test::connected_pair;
using gather::test::more_than_fits;
using gather::test::Pair;
using gather::test::read_all;
using gather::test::run_real;
using gather::test::serve;

namespace {

Co<> echo(Stream stream) {
  for (;;) {
    const std::string piece = co_await stream.read(64 * 1024);
    if (piece.empty()) co_return;
    stream.write(piece);
    co_await stream.drain();
  }
}

// Whether readexactly, or else readuntil, fails with IncompleteRead, and with what.
Co<std::string> cut(Stream& stream, bool exactly) {
  try {
    if (exactly)
      co_await stream.readexactly(10);
    else
      co_await stream.readuntil();
  } catch (const IncompleteRead& error) {
    co_return fmt::format("{} ({} of {})", error.what(), error.partial(), error.expected().value_or(0));
  }
  co_return "no error";
}

template <class Read>
Co<std::string> overrun(Read read) {
  try {
    co_await read();
  } catch (const LimitOverrun& error) {
    co_return fmt::format("{} ({})", error.partial(), error.consumed());
  }
  co_return "no error";
}

}  // namespace

TEST_CASE("what is written comes back from an echo server, and the end does too", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::string> {
          const Server server = serve(loop, echo);
          Stream stream = co_await connect(server);
          stream.write("hello, ");
          stream.write("world");
          stream.write_eof();
          co_return co_await stream.read();
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
        co_await stream.send(sent);
        co_return co_await stream.readexactly(sent.size());
      }(streams[i], i));
    co_return co_await gather::async::gather(std::move(bodies));
  });
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) expected.push_back(fmt::format("{}\n", i));
  CHECK(answers == expected);
}

TEST_CASE("C1: read(n) gives at most n bytes, nothing at the end; read() everything to the end",
          "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::vector<std::string>> {
          Pair pair = co_await connected_pair(loop);
          pair.near.write("abcdefgh");
          pair.near.close();
          std::vector<std::string> pieces;
          for (const int most : {0, 2, 2, -1, 2, 0}) pieces.push_back(co_await pair.far.read(most));
          pieces.push_back(co_await pair.far.read());
          co_return pieces;
        }) == std::vector<std::string>{"", "ab", "cd", "efgh", "", "", ""});
}

TEST_CASE("C1: readuntil gives up to and including the separator, also when it comes in pieces",
          "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::vector<std::string>> {
          Pair pair = co_await connected_pair(loop);
          std::vector<std::string> lines;
          co_await task_group([&](TaskGroup& group) -> Co<> {
            group.spawn([](Stream& stream) -> Co<> {
              for (const char* piece : {"one\r", "\ntwo\r\n\r", "\n", "rest"}) {
                stream.write(piece);
                co_await sleep(1ms);
              }
            }(pair.near));
            for (int i = 0; i < 3; ++i) lines.push_back(co_await pair.far.readuntil("\r\n"));
            lines.push_back(co_await pair.far.readexactly(4));
          });
          co_return lines;
        }) == std::vector<std::string>{"one\r\n", "two\r\n", "\r\n", "rest"});
}

TEST_CASE("C1: the limit of readuntil counts the bytes before the separator", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::string> {
          Pair pair = co_await connected_pair(loop);
          pair.near.write("abcd\n");
          pair.far.set_limit(4);
          co_return co_await pair.far.readuntil();
        }) == "abcd\n");
}

TEST_CASE("C1: over the limit the error of readuntil carries what came, and the bytes stay",
          "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    for (const char* sent : {"abcd\n", "abcdef"}) {  // The separator too late, and not at all.
      Pair pair = co_await connected_pair(loop);
      pair.near.write(sent);
      const std::string consumed = sent[4] == '\n' ? "4" : "6";
      CHECK(co_await overrun([&] { return pair.far.readuntil("\n", 3); }) ==
            fmt::format("{} ({})", sent, consumed));
      CHECK(co_await pair.far.read(100) == sent);
    }
  });
}

TEST_CASE("C1: readline gives lines, and what is left at the end", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::vector<std::string>> {
          Pair pair = co_await connected_pair(loop);
          pair.near.write("one\n\nthree");
          pair.near.close();
          std::vector<std::string> lines;
          for (int i = 0; i < 4; ++i) lines.push_back(co_await pair.far.readline());
          co_return lines;
        }) == std::vector<std::string>{"one\n", "\n", "three", ""});
}

TEST_CASE("C1: after a line over the limit readline goes on behind it", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.far.set_limit(4);
    pair.near.write("much too long\nshort\n");
    CHECK(co_await overrun([&] { return pair.far.readline(); }) == "much too long\n (13)");
    CHECK(co_await overrun([&] { return pair.far.readline(); }) == "short\n (5)");
    pair.near.write("endless");
    CHECK(co_await overrun([&] { return pair.far.readline(); }) == "endless (7)");
    pair.near.write("x\n");
    CHECK(co_await pair.far.readline() == "x\n");
  });
}

TEST_CASE("C1: at the end the error carries what came, and how much was expected", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    for (const bool exactly : {false, true}) {
      Pair pair = co_await connected_pair(loop);
      pair.near.write("half a li");
      pair.near.close();
      CHECK(co_await cut(pair.far, exactly) ==
            (exactly ? "the stream ended after 9 of 10 bytes (half a li of 10)"
                     : "the stream ended before the delimiter (half a li of 0)"));
      CHECK(co_await pair.far.read(1) == "");
    }
  });
}

TEST_CASE("C1: at_eof is true once the end has come and everything was read", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write("ab");
    pair.near.close();
    CHECK(co_await pair.far.readexactly(1) == "a");
    CHECK_FALSE(pair.far.at_eof());
    CHECK(co_await pair.far.read() == "b");
    CHECK(pair.far.at_eof());
  });
}

TEST_CASE("C1: a reader that lags behind holds the peer up at twice the limit", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.far.set_limit(1000);
    pair.near.write("x");
    co_await pair.far.readexactly(1);  // From now on it reads ahead.
    const std::string bytes = more_than_fits();
    pair.near.write(bytes);
    std::size_t left = 0;
    do {  // Until nothing moves any more.
      left = pair.near.get_write_buffer_size();
      for (int i = 0; i < 100; ++i) co_await yield();
    } while (left != pair.near.get_write_buffer_size());
    CHECK(left > 0);
    CHECK((co_await pair.far.readexactly(bytes.size()) == bytes));
  });
}

TEST_CASE("a cancelled read loses no byte", "[async][stream]") {
  CHECK(run_real([](Loop& loop) -> Co<std::string> {
          Pair pair = co_await connected_pair(loop);
          auto reader = loop.create_task(
              [](Stream& stream) -> Co<std::string> { co_return co_await stream.readline(); }(pair.far));
          co_await yield();
          pair.near.write("first half, ");
          for (int i = 0; i < 3; ++i) co_await yield();  // It has come, and is not enough.
          reader.cancel();
          pair.near.write("second half\n");
          co_await yield();
          CHECK(reader.cancelled());
          co_return co_await pair.far.readline();
        }) == "first half, second half\n");
}

TEST_CASE("one task reads at a time", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    auto reader = loop.create_task(read_all(pair.far));
    co_await yield();
    CHECK_THROWS_AS(co_await pair.far.read(1), InvalidState);
    pair.near.close();
    CHECK(co_await reader == "");
  });
}

TEST_CASE("a stream knows both of its ends", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    CHECK(pair.near.sockname() == pair.far.peername());
    CHECK(pair.near.peername() == pair.far.sockname());
    CHECK(pair.near.peername().host() == "127.0.0.1");
    CHECK(pair.near.fileno() >= 0);
    const std::string peer = pair.near.peername().text();
    pair.near.close();
    CHECK(pair.near.peername().text() == peer);
    CHECK(pair.near.sockname().text() == "");
    CHECK(pair.near.fileno() == -1);
    co_return;
  });
}
