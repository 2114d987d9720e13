#include "core/async/combine/gather.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/io/subprocess.hpp"
#include "core/async/sync/semaphore.hpp"
#include "core/async/task/sleep.hpp"
#include "tests/unit/descriptors.hpp"
#include "tests/unit/net/fetch.hpp"
#include "tests/unit/net/full_listener.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

using Reply = ScriptedServer::Reply;

ScriptedServer::Script saying(std::string body) {
  return [bytes = response(200, body)](const ScriptedServer::Request&) { return Reply{bytes}; };
}

Co<std::string> get(Session& session, std::string url) {
  const Download wanted{.url = std::move(url)};
  co_return describe(co_await download(session, wanted));
}

/// Descriptors of this process that a child would inherit, the standard ones aside.
std::vector<int> inheritable() {
  std::vector<int> found;
  for (int descriptor = 3; descriptor < 1024; ++descriptor)
    if (const int flags = fcntl(descriptor, F_GETFD); flags >= 0 && (flags & FD_CLOEXEC) == 0)
      found.push_back(descriptor);
  return found;
}

}  // namespace

TEST_CASE("requests one after another use one connection", "[net][session]") {
  const ScriptedServer server(saying("hello"));
  Loop loop;
  Session session(loop);
  for (int i = 0; i < 3; ++i) CHECK(loop.run(get(session, server.url())) == "200, 5 bytes");
  CHECK(server.connections() == 1);
}

TEST_CASE("closed connections are made anew", "[net][session]") {
  const ScriptedServer server(saying("hello"));
  Loop loop;
  Session session(loop);
  CHECK(loop.run(get(session, server.url())) == "200, 5 bytes");
  session.close_connections();
  CHECK(loop.run(get(session, server.url())) == "200, 5 bytes");
  CHECK(server.connections() == 2);
}

TEST_CASE("a kept connection that the server closed meanwhile is replaced", "[net][session]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return Reply{response(200, "hello"), ScriptedServer::Then::close};
  });
  Loop loop;
  Session session(loop);
  for (int i = 0; i < 5; ++i) CHECK(loop.run(get(session, server.url())) == "200, 5 bytes");
}

TEST_CASE("connections that the server closes while nobody uses them leave nothing behind",
          "[net][session]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return Reply{response(200, "hello"), ScriptedServer::Then::close};
  });
  Loop loop;
  Session session(loop);
  // Their descriptors' numbers go to others, to the next connections and to the child's, which are watched,
  // too.
  const auto rounds = [&]() -> Co<int> {
    int good = 0;
    for (int i = 0; i < 20; ++i) {
      std::vector<Co<std::string>> requests;
      for (int k = 0; k < 8; ++k) requests.push_back(get(session, server.url()));
      for (const std::string& result : co_await async::gather(std::move(requests)))
        good += result == "200, 5 bytes" ? 1 : 0;
      good += server.closed_down_to(0) ? 1 : 0;
      co_await async::sleep(1ms);
      if (i % 2 == 0) session.close_connections();
      async::Process child = co_await async::create_subprocess_exec({"true"});
      good += co_await child.wait() == 0 ? 1 : 0;
    }
    co_return good;
  };
  CHECK(loop.run(async::timeout(20s, rounds)) == 200);
}

TEST_CASE("64 requests to one host are under way at once", "[net][session]") {
  ScriptedServer server(saying("hello"));
  server.hold(64);
  Loop loop;
  Session session(loop);
  std::vector<Co<std::string>> requests;
  for (int i = 0; i < 64; ++i) requests.push_back(get(session, server.url(fmt::format("/{}", i))));
  const auto results = loop.run(async::gather(std::move(requests)));
  CHECK(results == std::vector<std::string>(64, "200, 5 bytes"));
  CHECK(server.most_at_once() == 64);
}

TEST_CASE("a thousand requests through a semaphore of 64 all arrive", "[net][session]") {
  const ScriptedServer server(saying("hello"));
  Loop loop;
  Session session(loop);
  async::Semaphore slots(64);
  std::vector<Co<std::string>> requests;
  for (int i = 0; i < 1000; ++i)
    requests.push_back([](Session& on, async::Semaphore& leave, std::string url) -> Co<std::string> {
      const auto permit = co_await leave.scoped();
      co_return co_await get(on, std::move(url));
    }(session, slots, server.url()));
  const auto results = loop.run(async::gather(std::move(requests)));
  CHECK(results == std::vector<std::string>(1000, "200, 5 bytes"));
  CHECK(server.requests().size() == 1000);
  CHECK(server.connections() <= 64);
}

TEST_CASE("a stalled request does not hold up another on the same host", "[net][session]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.target == "/stall") return Reply{"", ScriptedServer::Then::stall};
    return Reply{response(200, "hello")};
  });
  Loop loop;
  Session session(loop, {.stall_timeout = 300ms});
  std::vector<Co<std::string>> requests;
  requests.push_back(get(session, server.url("/stall")));
  requests.push_back([](Session& on, std::string url) -> Co<std::string> {
    const auto begin = (co_await async::this_task()).loop().now();
    for (int i = 0; i < 20; ++i) co_await get(on, url);
    const auto end = (co_await async::this_task()).loop().now();
    co_return end - begin < 250ms ? "quick" : "held up";
  }(session, server.url("/")));
  CHECK(loop.run(async::gather(std::move(requests))) ==
        std::vector<std::string>{"timeout: HOST sent nothing for 300 ms", "quick"});
}

TEST_CASE("a child would inherit nothing of a transfer", "[net][session]") {
  const std::vector<int> before = inheritable();
  std::vector<int> during;
  const ScriptedServer server([&](const ScriptedServer::Request&) {
    during = inheritable();
    return Reply{response(200, "hello")};
  });
  const Folder folder;
  CHECK(fetch({.url = server.url(), .output = folder / "a"}) == "200, 5 bytes");
  CHECK(during == before);
}

TEST_CASE("the number of a socket that never connected is good for a lookup, and for a connection after that",
          "[net][session]") {
  // libcurl 7.88.1 closes a socket that is still connecting without a word, and the pair of a lookup gets its
  // number.
  const FullListener full;
  const ScriptedServer server(saying("hello"));
  const std::vector<int> before = inheritable();
  Loop loop;
  Session session(loop);
  loop.run([&]() -> Co<> {
    Download wanted{.url = full.url()};
    wanted.transport.edit().connect_timeout = 20ms;
    CHECK(describe(co_await download(session, wanted)) == "timeout: no connection to HOST within 20 ms");
    auto named =
        (co_await async::this_task()).loop().create_task(get(session, "http://nonexistent.invalid/"));
    while (!named.done()) {
      CHECK(inheritable() == before);
      co_await async::yield();
    }
    CHECK(co_await named == "dns: no address was found for nonexistent.invalid");
    CHECK(co_await get(session, server.url()) == "200, 5 bytes");
  }());
}

TEST_CASE("of two addresses the second is connected to where the first is silent, or refuses late",
          "[net][session]") {
  // libcurl closes the first one's socket unheard, and the second one's gets the same number.
  const ScriptedServer server(saying("hello"));
  const std::string port = server.host().substr(server.host().rfind(':') + 1);
  std::optional<FullListener> full(std::in_place, "127.0.0.2", static_cast<std::uint16_t>(std::stoi(port)));
  Download wanted{.url = "http://two.invalid:" + port + "/"};
  wanted.transport.edit().resolve = {"two.invalid:" + port + ":127.0.0.2,127.0.0.1"};
  Loop loop;
  Session session(loop);
  const bool refuses = GENERATE(false, true);
  // libcurl gives half of it to the first one, if it is more than 600 ms.
  wanted.transport.edit().connect_timeout = refuses ? 20s : 3s;
  const auto ask = [&]() -> Co<std::string> { co_return describe(co_await download(session, wanted)); };
  const auto story = [&]() -> Co<std::string> {
    const std::size_t others = full->waiting();
    auto asked = loop.create_task(ask());
    while (full->waiting() == others) co_await async::sleep(1ms);
    if (refuses) full.reset();  // The next SYN is answered by RST, after a second.
    co_return co_await asked;
  };
  const auto result = loop.run(async::timeout(8s, story));
  CHECK(result == "200, 5 bytes");
}

TEST_CASE("a session without requests costs no descriptor", "[net][session]") {
  Loop loop;
  const int before = lowest_free_descriptor();
  const Session session(loop);
  CHECK(lowest_free_descriptor() == before);
}

// The undefined-behaviour sanitizer looks at memory through a pipe, and so reports nonsense without
// descriptors.
#if !__has_feature(undefined_behavior_sanitizer)
TEST_CASE("without free descriptors a request fails for a local reason, and the next one succeeds",
          "[net][session]") {
  const ScriptedServer server(saying("hello"));
  {
    const Loop first;
  }  // libuv keeps a pipe for signals from its first loop on.
  const std::size_t before = open_descriptors();
  CHECK(fetch({.url = server.url()}) == "200, 5 bytes");  // The libraries are loaded.
  // The first request of a loop opens: libcurl's wake-up pair, the socket, the set in which it is watched.
  for (const std::size_t granted : {0U, 2U, 3U}) {
    REQUIRE(settled(before));
    Loop loop;
    Session session(loop);
    const std::string result = [&] {
      const Lowered limit(RLIMIT_NOFILE, static_cast<std::size_t>(lowest_free_descriptor()) + granted);
      return loop.run(get(session, server.url()));
    }();
    CHECK(result.starts_with("local: HOST: "));
    CHECK(result.ends_with(": Too many open files"));
    CHECK(loop.run(get(session, server.url())) == "200, 5 bytes");
  }
}
#endif
