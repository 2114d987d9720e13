#include "core/async/io/connect.hpp"

#include "core/async/io/dns.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cerrno>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::connect;
using gather::test::run_real;
using gather::test::serve;

namespace {

Co<> say_hello(Stream stream) {
  stream.write("hello");
  co_return;
}

}  // namespace

TEST_CASE("a refused connection is an error that says where", "[async][connect]") {
  run_real([](Loop& loop) -> Co<> {
    Server server = serve(loop, say_hello);
    const std::uint16_t port = server.port();
    server.close();
    CHECK_THROWS_WITH(co_await open_connection("127.0.0.1", port),
                      fmt::format("can't connect to 127.0.0.1:{}: Connection refused", port));
  });
}

TEST_CASE("a name is connected to by its addresses; the error lists every attempt", "[async][connect]") {
  run_real([](Loop& loop) -> Co<> {
    Server server = serve(loop, say_hello);
    const std::uint16_t port = server.port();
    Stream stream = co_await open_connection("localhost", port);
    CHECK(co_await stream.read() == "hello");
    server.close();
    try {
      co_await open_connection("localhost", port);
      FAIL("it is connected");
    } catch (const ConnectError& error) {
      CHECK(error.code() == ECONNREFUSED);
      std::string listed;
      for (const auto& [address, code] : error.attempts())
        listed += fmt::format("{}{}: Connection refused", listed.empty() ? "" : "; ", address.text());
      CHECK(error.what() == fmt::format("can't connect to localhost:{}: {}", port, listed));
    }
    CHECK_THROWS_AS(co_await open_connection("nowhere.invalid", port), DnsError);
  });
}

TEST_CASE("with a happy_eyeballs_delay the first connection wins", "[async][connect]") {
  run_real([](Loop& loop) -> Co<> {
    const Server server = serve(loop, say_hello);
    ConnectionOptions options;
    options.happy_eyeballs_delay = 1ms;
    Stream stream = co_await open_connection("localhost", server.port(), options);
    CHECK(co_await stream.read() == "hello");
    // No such port: every attempt fails, whatever the delay.
    const std::uint16_t port = server.port();
    options.family = AF_INET;
    options.local_addr = Address::numeric("192.0.2.1", 0);  // Not ours.
    CHECK_THROWS_WITH(co_await open_connection("localhost", port, options),
                      Catch::EndsWith("Cannot assign requested address"));
  });
}

TEST_CASE("a connection can be bound to an address of our own", "[async][connect]") {
  run_real([](Loop& loop) -> Co<> {
    const Server server = serve(loop, say_hello);
    ConnectionOptions options;
    options.local_addr = Address::numeric("127.0.0.2", 0);
    options.limit = 3;
    Stream stream = co_await open_connection("127.0.0.1", server.port(), options);
    CHECK(stream.sockname().host() == "127.0.0.2");
    CHECK(stream.limit() == 3);
  });
}

TEST_CASE("a connection attempt can be cancelled", "[async][connect]") {
  run_real([](Loop& loop) -> Co<> {
    const Server server = serve(loop, say_hello);
    auto attempt = loop.create_task(connect(server));
    co_await yield();  // It runs, and is parked on the connect.
    attempt.cancel();
    while (!attempt.done()) co_await yield();
    CHECK(attempt.cancelled());
  });
}
