#include "core/async/combine/task_group.hpp"
#include "core/async/io/stream.hpp"
#include "core/async/task/error.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::connected_pair;
using gather::test::more_than_fits;
using gather::test::Pair;
using gather::test::read_all;
using gather::test::run_real;

namespace {

Co<> send_all(Stream& stream, const std::string& bytes) { co_await stream.send(bytes); }
Co<> drain(Stream& stream) { co_await stream.drain(); }
Co<> wait_closed(Stream& stream) { co_await stream.wait_closed(); }

struct Pipe {
  Stream reader;
  Stream writer;
};

Pipe open_ends(Loop& loop) {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  return {open_pipe(loop, ends[0]), open_pipe(loop, ends[1])};
}

}  // namespace

TEST_CASE("C1: write returns at once and keeps what does not fit; all of it arrives, in order",
          "[async][stream]") {
  const std::string sent = more_than_fits();
  const std::string received = run_real([&](Loop& loop) -> Co<std::string> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write(sent);
    CHECK(pair.near.get_write_buffer_size() > 0);
    pair.near.writelines(std::vector<std::string>{"and ", "more"});
    pair.near.write_eof();
    co_return co_await pair.far.read();
  });
  CHECK((received == sent + "and more"));  // In parentheses: nobody wants to see it printed.
}

TEST_CASE("C1: what fits is with the kernel before write returns", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write("small");
    CHECK(pair.near.get_write_buffer_size() == 0);
    CHECK(pair.near.drain().await_ready());
  });
}

TEST_CASE("C1: drain waits for the low-water mark, for everybody who drains", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    CHECK(pair.near.get_write_buffer_limits() == std::pair<std::size_t, std::size_t>(16 * 1024, 64 * 1024));
    pair.near.set_write_buffer_limits(200'000, 100'000);
    pair.near.write(more_than_fits());
    const auto first = loop.create_task(drain(pair.near));
    const auto second = loop.create_task(drain(pair.near));
    for (int i = 0; i < 10; ++i) co_await yield();
    CHECK_FALSE((first.done() || second.done()));
    while (!first.done()) {
      if (pair.near.get_write_buffer_size() > 100'000) CHECK_FALSE(first.done());
      co_await pair.far.read(64 * 1024);
    }
    co_await yield();
    CHECK(second.done());
    CHECK(pair.near.get_write_buffer_size() <= 100'000);
  });
}

TEST_CASE("C1: between the marks drain does not wait; above the high one it does", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write(more_than_fits());
    pair.near.set_write_buffer_limits(100'000'000);
    pair.far.abort();
    pair.near.abort();
    Pair other = co_await connected_pair(loop);
    other.near.set_write_buffer_limits(100'000'000);
    CHECK(other.near.get_write_buffer_limits() ==
          std::pair<std::size_t, std::size_t>(25'000'000, 100'000'000));
    other.near.write(more_than_fits());
    co_await other.near.drain();
    CHECK(other.near.get_write_buffer_size() > 0);
    other.near.set_write_buffer_limits(0);
    const auto draining = loop.create_task(drain(other.near));
    co_await yield();
    CHECK_FALSE(draining.done());
    CHECK((co_await other.far.readexactly(more_than_fits().size())).size() == more_than_fits().size());
    co_await yield();
    CHECK(draining.done());
    CHECK_THROWS_AS(other.near.set_write_buffer_limits(1, 2), std::invalid_argument);
  });
}

TEST_CASE("C1: send waits until the kernel has all of it, and bytes keep the order of the calls",
          "[async][stream]") {
  const std::string sent = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    const auto sending = loop.create_task(send_all(pair.near, sent));
    co_await yield();
    pair.near.write("between, ");
    const std::string last = "last";
    const auto behind = loop.create_task(send_all(pair.near, last));
    for (int i = 0; i < 100; ++i) co_await yield();
    CHECK_FALSE((sending.done() || behind.done()));
    CHECK((co_await pair.far.readexactly(sent.size()) == sent));
    CHECK(co_await pair.far.readexactly(13) == "between, last");
    co_await yield();
    CHECK((sending.done() && behind.done()));
  });
}

TEST_CASE("a cancelled send needs its bytes no longer, and what is written later still goes",
          "[async][stream]") {
  run_real([&](Loop& loop) -> Co<> {
    std::string bytes = more_than_fits();
    Pair pair = co_await connected_pair(loop);
    auto first = loop.create_task(send_all(pair.near, bytes));
    co_await yield();
    auto second = loop.create_task(send_all(pair.near, bytes));
    co_await yield();
    first.cancel();
    second.cancel();
    co_await yield();
    CHECK((first.cancelled() && second.cancelled()));
    std::string().swap(bytes);
    pair.near.write("the end");
    pair.near.write_eof();
    const std::string received = co_await pair.far.read();
    CHECK(received.ends_with("the end"));
    CHECK(received.size() < more_than_fits().size());
    CHECK((received.substr(0, 1000) == more_than_fits().substr(0, 1000)));
  });
}

TEST_CASE("C1: close loses nothing that was written; wait_closed waits for it", "[async][stream]") {
  const std::string sent = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write(sent);
    pair.near.close();
    CHECK(pair.near.is_closing());
    pair.near.write("too late");
    const auto closed = loop.create_task(wait_closed(pair.near));
    for (int i = 0; i < 10; ++i) co_await yield();
    CHECK_FALSE(closed.done());
    CHECK((co_await pair.far.read() == sent));
    co_await pair.near.wait_closed();
    co_await pair.near.wait_closed();
    co_await yield();
    CHECK(closed.done());
  });
}

TEST_CASE("what a stream that has gone had written still arrives", "[async][stream]") {
  const std::string sent = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    std::optional<Pair> pair = co_await connected_pair(loop);
    pair->near.write(sent);
    Stream far = std::move(pair->far);
    pair.reset();
    CHECK((co_await far.read() == sent));
  });
}

TEST_CASE("a loop that ends takes with it what streams that have gone still send", "[async][stream]") {
  Loop loop;
  for (int i = 0; i < 3; ++i)
    loop.run([](Loop& its_loop) -> Co<> {
      Pair pair = co_await connected_pair(its_loop);
      pair.near.write(more_than_fits());
      pair.far.read(1).await_ready();
    }(loop));
  SUCCEED("nothing is left, or closing the loop would assert");
}

TEST_CASE("a send that waits when the stream is closed still goes", "[async][stream]") {
  const std::string sent = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    auto sending = loop.create_task(send_all(pair.near, sent));
    co_await yield();
    pair.near.close();
    CHECK((co_await pair.far.read() == sent));
    co_await sending;
    co_await pair.near.wait_closed();
  });
}

TEST_CASE("abort closes now: what was not sent is dropped, and those who wait are told", "[async][stream]") {
  const std::string bytes = more_than_fits();
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write(bytes);
    auto reader = loop.create_task(read_all(pair.near));
    auto sender = loop.create_task(send_all(pair.near, bytes));
    auto drainer = loop.create_task(drain(pair.near));
    for (int i = 0; i < 10; ++i) co_await yield();
    CHECK_FALSE((reader.done() || sender.done() || drainer.done()));
    pair.near.abort();
    CHECK_THROWS_WITH(co_await reader, "read: Operation canceled");
    CHECK_THROWS_WITH(co_await sender, "write: Operation canceled");
    CHECK_THROWS_WITH(co_await drainer, "write: Operation canceled");
    co_await pair.near.wait_closed();
    CHECK((co_await pair.far.read()).size() < bytes.size());
  });
}

TEST_CASE("close ends a waiting read with ECANCELED, and later writes are told by drain", "[async][stream]") {
  run_real([&](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    auto reader = loop.create_task(read_all(pair.near));
    co_await yield();
    pair.near.close();
    pair.near.write("x");
    CHECK_THROWS_WITH(co_await reader, "read: Operation canceled");
    CHECK_THROWS_WITH(co_await pair.near.drain(), "write: Operation canceled");
    CHECK_THROWS_WITH(co_await pair.near.send("x"), "write: Operation canceled");
    pair.near.write_eof();
    pair.near.close();
    pair.near.abort();
  });
}

TEST_CASE("after write_eof nothing can be written, and reading goes on", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write("question");
    pair.near.write_eof();
    pair.near.write_eof();
    CHECK_THROWS_AS(pair.near.write("x"), InvalidState);
    CHECK_THROWS_AS(co_await pair.near.send("x"), InvalidState);
    CHECK(co_await pair.far.read() == "question");
    pair.far.write("answer");
    pair.far.close();
    CHECK(co_await pair.near.read() == "answer");
  });
}

TEST_CASE("a peer that has gone makes writing an error and kills nobody", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.far.close();
    int code = 0;
    while (code == 0) {  // The first write may still be taken; the peer's reset comes back for it.
      try {
        pair.near.write("x");
        co_await pair.near.drain();
        co_await yield();
      } catch (const StreamError& error) {
        code = error.code();
      }
    }
    CHECK((code == EPIPE || code == ECONNRESET));
    CHECK(pair.near.is_closing());
    pair.near.write("dropped");
    pair.near.close();
    CHECK_THROWS_AS(co_await pair.near.wait_closed(), StreamError);
  });
}

TEST_CASE("a peer that goes while much is to be sent ends drain and close with an error", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write(more_than_fits());
    auto draining = loop.create_task(drain(pair.near));
    co_await yield();
    pair.far.close();
    CHECK_THROWS_AS(co_await draining, StreamError);
    CHECK(pair.near.get_write_buffer_size() == 0);
    pair.near.close();
    CHECK_THROWS_AS(co_await pair.near.wait_closed(), StreamError);
  });
}

TEST_CASE("drains and wait_closed can be cancelled", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pair pair = co_await connected_pair(loop);
    pair.near.write(more_than_fits());
    auto draining = loop.create_task(drain(pair.near));
    auto closing = loop.create_task(wait_closed(pair.near));
    co_await yield();
    draining.cancel();
    closing.cancel();
    co_await yield();
    CHECK((draining.cancelled() && closing.cancelled()));
  });
}

TEST_CASE("the ends of a pipe are streams: one writes, the other reads to the end", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pipe pipe = open_ends(loop);
    pipe.writer.write("through the pipe");
    CHECK_THROWS_AS(co_await pipe.writer.read(1), StreamError);
    CHECK_THROWS_AS(co_await pipe.reader.send("back"), StreamError);
    pipe.writer.write_eof();
    CHECK(pipe.writer.is_closing());
    CHECK(co_await pipe.reader.read() == "through the pipe");
  });
}

TEST_CASE("more than a pipe holds goes through it, also when its writer is closed", "[async][stream]") {
  run_real([](Loop& loop) -> Co<> {
    Pipe pipe = open_ends(loop);
    const std::string bytes = more_than_fits();
    pipe.writer.write(bytes);
    pipe.writer.close();
    CHECK((co_await pipe.reader.read() == bytes));
    co_await pipe.writer.wait_closed();
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
