#include "core/async/io/server.hpp"

#include "core/base/error.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::connect;
using gather::test::read_all;
using gather::test::run_real;
using gather::test::serve;

namespace {

// Answers once the client has sent its end.
Co<> answer_at_end(Stream stream) {
  const std::string question = co_await read_all(stream);
  co_await stream.write("re: " + question);
}

}  // namespace

TEST_CASE("C2: closing a server stops accepting; wait_closed waits for the connections", "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    Server server = serve(loop, answer_at_end);
    Stream stream = co_await connect(server);
    while (server.connections() == 0) co_await yield();

    server.close();
    auto closed = loop.create_task([](Server& s) -> Co<> { co_await s.wait_closed(); }(server));
    CHECK_THROWS_WITH(co_await connect(server), Catch::EndsWith("Connection refused"));
    CHECK_FALSE(closed.done());

    co_await stream.write("still here");
    co_await stream.shutdown();
    CHECK(co_await read_all(stream) == "re: still here");
    co_await closed;
    CHECK(server.connections() == 0);
  });
}

TEST_CASE("C2: cancelling the connections ends their handlers", "[async][server]") {
  int cancelled = 0;
  run_real([&](Loop& loop) -> Co<> {
    Server server = serve(loop, [&cancelled](Stream stream) -> Co<> {
      try {
        co_await stream.read_some();
      } catch (const Cancelled&) {
        ++cancelled;
        throw;
      }
    });
    std::vector<Stream> streams;
    for (int i = 0; i < 3; ++i) streams.push_back(co_await connect(server));
    while (server.connections() < 3) co_await yield();
    co_await yield();
    server.close();
    server.cancel_connections();
    co_await server.wait_closed();
    for (Stream& stream : streams) CHECK(co_await stream.read_some() == "");
  });
  CHECK(cancelled == 3);
}

TEST_CASE("C2: a server that dies takes its connections with it, also those not started yet",
          "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    std::optional<Server> server = serve(loop, answer_at_end);
    Stream early = co_await connect(*server);
    while (server->connections() == 0) co_await yield();
    Stream late = co_await connect(*server);
    server.reset();
    CHECK(co_await early.read_some() == "");
    try {
      CHECK(co_await late.read_some() == "");
    } catch (const StreamError& error) {  // It was never accepted.
      CHECK(error.code() == ECONNRESET);
    }
  });
}

TEST_CASE("with_server ends when every handler has, however its body ends", "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    enum class Ending { value, error, cancel };
    for (const Ending ending : {Ending::value, Ending::error, Ending::cancel}) {
      int handlers = 0;  // Handlers may refer to what outlives the call.
      auto task = loop.create_task([](Loop& l, int& open, Ending way) -> Co<int> {
        co_return co_await with_server(serve(l,
                                             [&open](Stream stream) -> Co<> {
                                               ++open;
                                               try {
                                                 co_await stream.read_some();
                                               } catch (const Cancelled&) {
                                               }
                                               co_await sleep(2ms);  // Its cleanup takes time.
                                               --open;
                                             }),
                                       [&](Server& server) -> Co<int> {
                                         Stream stream = co_await connect(server);
                                         while (open == 0) co_await yield();
                                         if (way == Ending::error) throw std::runtime_error("mine");
                                         if (way == Ending::cancel) co_await sleep(1h);
                                         co_return 3;
                                       });
      }(loop, handlers, ending));
      while (handlers == 0) co_await yield();
      if (ending == Ending::cancel) {
        co_await yield();
        task.cancel();
        co_await yield();
        co_await yield();
        task.cancel();  // Also while it waits for the handlers.
      }
      if (ending == Ending::value) CHECK(co_await task == 3);
      if (ending == Ending::error) CHECK_THROWS_WITH(co_await task, "mine");
      if (ending == Ending::cancel) CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(handlers == 0);
    }
  });
}

TEST_CASE("a handler that fails ends its connection and is reported; the server goes on", "[async][server]") {
  std::vector<std::string> complaints;
  run_real([&](Loop& loop) -> Co<> {
    loop.set_exception_handler([&](const Complaint& complaint) {
      complaints.push_back(complaint.message + ": " + describe(complaint.error));
    });
    const Server server = serve(loop, [](Stream stream) -> Co<> {
      const std::string line = co_await stream.read_until("\n");  // IncompleteRead is no news.
      throw std::runtime_error("no answer to " + line.substr(0, line.size() - 1));
    });
    for (const char* text : {"one\n", "half", "two\n"}) {
      Stream stream = co_await connect(server);
      co_await stream.write(text);
      co_await stream.shutdown();
      CHECK(co_await read_all(stream) == "");
    }
  });
  CHECK(complaints == std::vector<std::string>{"a connection's handler failed: no answer to one",
                                               "a connection's handler failed: no answer to two"});
}

TEST_CASE("an address that can't be listened on is an error with a remedy", "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    const Server server = serve(loop, answer_at_end);
    const std::uint16_t port = server.port();
    CHECK_THROWS_WITH(
        start_server(loop, "127.0.0.1", port, answer_at_end),
        fmt::format("can't listen on 127.0.0.1:{}: Address already in use; stop the program that "
                    "listens there, or choose another port (0 picks a free one)",
                    port));
    CHECK_THROWS_AS(start_server(loop, "192.0.2.1", 0, answer_at_end), gather::Error);
    CHECK_THROWS_AS(start_server(loop, "localhost", 0, answer_at_end), gather::Error);
    co_return;
  });
}
