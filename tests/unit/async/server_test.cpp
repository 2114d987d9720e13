#include "core/async/io/server.hpp"

#include "core/base/error.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::connect;
using gather::test::read_all;
using gather::test::run_real;
using gather::test::serve;

namespace {

// Of its own, gone with this.
struct Folder {
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "gather-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }

  std::filesystem::path path;
};

// Answers once the client has sent its end.
Co<> answer_at_end(Stream stream) {
  const std::string question = co_await read_all(stream);
  const std::string answer = "re: " + question;
  co_await stream.send(answer);
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

    stream.write("still here");
    stream.write_eof();
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
        co_await stream.read(1000);
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
    server.cancel_handlers();
    co_await server.wait_closed();
    for (Stream& stream : streams) CHECK(co_await stream.read(1000) == "");
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
    CHECK(co_await early.read(1000) == "");
    try {
      CHECK(co_await late.read(1000) == "");
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
                                                 co_await stream.read(1000);
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
      const std::string line = co_await stream.readuntil();  // IncompleteRead is no news.
      throw std::runtime_error("no answer to " + line.substr(0, line.size() - 1));
    });
    for (const char* text : {"one\n", "half", "two\n"}) {
      Stream stream = co_await connect(server);
      stream.write(text);
      stream.write_eof();
      CHECK(co_await read_all(stream) == "");
    }
  });
  CHECK(complaints == std::vector<std::string>{"a connection's handler failed: no answer to one",
                                               "a connection's handler failed: no answer to two"});
}

TEST_CASE("C2: close_clients ends every connection after what was written, abort_clients at once",
          "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    for (const bool abort : {false, true}) {
      const std::string much = gather::test::more_than_fits();
      Server server = serve(loop, [&much](Stream stream) -> Co<> {
        gather::test::narrow(stream);
        stream.write(much);
        co_await stream.read();  // Ended by the server, which no handler needs to hear of.
      });
      Stream stream = co_await connect(server);
      gather::test::narrow(stream);
      const std::string beginning = co_await stream.readexactly(1);
      server.close();
      abort ? server.abort_clients() : server.close_clients();
      const std::size_t size = (co_await stream.read()).size() + beginning.size();
      co_await server.wait_closed();
      CHECK(server.connections() == 0);
      CHECK((size == much.size()) == !abort);
    }
  });
}

TEST_CASE("C2: wait_closed waits for a connection whose handler has gone, until it is closed",
          "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    std::optional<Stream> taken;
    Server server = serve(loop, [&taken](Stream stream) -> Co<> {
      taken.emplace(std::move(stream));
      co_return;
    });
    const Stream stream = co_await connect(server);
    while (!taken) co_await yield();
    server.close();
    co_await server.stop();  // Its handlers have ended.
    CHECK(server.connections() == 1);
    taken.reset();
    co_await server.wait_closed();
    CHECK(server.connections() == 0);
  });
}

TEST_CASE("a server that is not to serve yet refuses connections until start_serving", "[async][server]") {
  run_real([](Loop&) -> Co<> {
    ServerOptions options;
    options.start_serving = false;
    Server server = co_await start_server(answer_at_end, "127.0.0.1", 0, options);
    CHECK_FALSE(server.is_serving());
    CHECK_THROWS_AS(co_await connect(server), StreamError);
    server.start_serving();
    CHECK(server.is_serving());
    Stream stream = co_await connect(server);
    stream.write_eof();
    CHECK(co_await stream.read() == "re: ");
    server.close();
    CHECK_FALSE(server.is_serving());
    CHECK(server.sockets().empty());
    CHECK_THROWS_AS(server.start_serving(), InvalidState);
  });
}

TEST_CASE(
    "serve_forever ends when the server is closed; cancelled, it closes it and waits for its connections",
    "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    for (const bool cancel : {false, true}) {
      Server server = serve(loop, answer_at_end);
      auto serving = loop.create_task([](Server& s) -> Co<> { co_await s.serve_forever(); }(server));
      Stream stream = co_await connect(server);
      while (server.connections() == 0) co_await yield();
      cancel ? static_cast<void>(serving.cancel()) : server.close();
      while (server.is_serving()) co_await yield();
      co_await yield();
      co_await yield();
      CHECK(serving.done() == !cancel);
      stream.write_eof();
      CHECK(co_await stream.read() == "re: ");
      if (cancel)
        CHECK_THROWS_AS(co_await serving, Cancelled);
      else
        co_await serving;
    }
  });
}

TEST_CASE("a server on every interface has one port and can be reached under every address",
          "[async][server]") {
  run_real([](Loop&) -> Co<> {
    const Server server = co_await start_server(answer_at_end, "", 0);
    REQUIRE_FALSE(server.sockets().empty());
    for (const Address& address : server.sockets()) {
      CHECK(address.port() == server.port());
      const std::string loopback = address.family() == AF_INET6 ? "::1" : "127.0.0.1";
      Stream stream = co_await open_connection(loopback, server.port());
      CHECK(stream.peername().text() == endpoint_text(loopback, server.port()));
      stream.write_eof();
      CHECK(co_await stream.read() == "re: ");
    }
  });
}

TEST_CASE("start_server looks a name up", "[async][server]") {
  run_real([](Loop&) -> Co<> {
    const Server server = co_await start_server(answer_at_end, "localhost", 0);
    Stream stream = co_await open_connection("localhost", server.port());
    stream.write("by name");
    stream.write_eof();
    CHECK(co_await stream.read() == "re: by name");
  });
}

TEST_CASE("an address that can't be listened on is an error with a remedy", "[async][server]") {
  run_real([](Loop& loop) -> Co<> {
    const Server server = serve(loop, answer_at_end);
    const std::uint16_t port = server.port();
    CHECK_THROWS_WITH(
        co_await start_server(answer_at_end, "127.0.0.1", port),
        fmt::format("can't listen on 127.0.0.1:{}: Address already in use; stop the program that "
                    "listens there, or choose another port (0 picks a free one)",
                    port));
    CHECK_THROWS_AS(co_await start_server(answer_at_end, "192.0.2.1", 0), gather::Error);
  });
}

TEST_CASE("a Unix server answers on its path, and removes it when it is closed", "[async][server]") {
  run_real([](Loop&) -> Co<> {
    const Folder folder;
    const std::string path = folder.path / "socket";
    Server server = co_await start_unix_server(answer_at_end, path);
    CHECK(server.sockets().front().path() == path);
    Stream stream = co_await open_unix_connection(path);
    CHECK(stream.peername().path() == path);
    stream.write("hello");
    stream.write_eof();
    CHECK(co_await stream.read() == "re: hello");
    server.close();
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK_THROWS_WITH(co_await open_unix_connection(path),
                      "can't connect to " + path + ": No such file or directory");
  });
}

TEST_CASE("a Unix server takes the place of a stale socket, and leaves one that took its own",
          "[async][server]") {
  run_real([](Loop&) -> Co<> {
    const Folder folder;
    const std::string path = folder.path / "socket";
    ServerOptions stale;
    stale.cleanup_socket = false;
    co_await start_unix_server(answer_at_end, path, stale);
    REQUIRE(std::filesystem::exists(path));
    Server old = co_await start_unix_server(answer_at_end, path);
    const Server young = co_await start_unix_server(answer_at_end, path);
    old.close();
    CHECK(std::filesystem::exists(path));
    Stream stream = co_await open_unix_connection(path);
    stream.write_eof();
    CHECK(co_await stream.read() == "re: ");
  });
}

TEST_CASE("a Unix server does not remove what is no socket", "[async][server]") {
  run_real([](Loop&) -> Co<> {
    const Folder folder;
    const std::string path = folder.path / "file";
    std::ofstream(path) << "precious";
    CHECK_THROWS_WITH(co_await start_unix_server(answer_at_end, path),
                      "can't listen on " + path +
                          ": Address already in use; another program has that name, or a file that is no "
                          "socket");
    CHECK(std::filesystem::file_size(path) == 8);
  });
}

TEST_CASE("a name in the abstract namespace needs no file; a path too long is an error", "[async][server]") {
  run_real([](Loop&) -> Co<> {
    using namespace std::string_literals;
    const std::string name = "\0gather-test-"s + std::to_string(getpid());
    const Server server = co_await start_unix_server(answer_at_end, name);
    CHECK(server.sockets().front().text() == "@" + name.substr(1));
    Stream stream = co_await open_unix_connection(name);
    stream.write_eof();
    CHECK(co_await stream.read() == "re: ");
    const std::string too_long(108, 'x');
    CHECK_THROWS_WITH(co_await open_unix_connection(too_long), too_long + ": File name too long");
  });
}
