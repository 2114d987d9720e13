#include "core/async/combine/task_group.hpp"
#include "core/async/combine/timeout.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;

namespace {

using Clock = std::chrono::steady_clock;

async::Co<> fetch_into(Session& session, const Download& wanted, Clock::duration& ended,
                       Clock::time_point begin) {
  CHECK(describe(co_await download(session, wanted)) == "200, 200000 bytes");
  ended = Clock::now() - begin;
}

}  // namespace

TEST_CASE("a session's rate is that of all requests together, and they take turns", "[net][throttle]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return ScriptedServer::Reply{response(200, std::string(200'000, 'x'))};
  });
  Download wanted;
  wanted.url = server.url();
  async::Loop loop;
  Session session(loop, {.stall_timeout = 150ms});  // The wait for the rate is no stall.
  session.limit_rate(1'000'000);
  std::vector<Clock::duration> ended(4);
  const auto begin = Clock::now();
  loop.run(async::timeout(10s, [&]() -> async::Co<> {
    co_await async::task_group([&](async::TaskGroup& group) -> async::Co<> {
      for (auto& each : ended) group.spawn(fetch_into(session, wanted, each, begin));
      co_return;
    });
  }));
  // 800 KB less what the bucket had, a piece for each that may be overdrawn.
  CHECK(Clock::now() - begin > 500ms);
  // Alone in turn the first would have had all of its bytes after a quarter of the time.
  CHECK(std::ranges::min(ended) > 300ms);
}

TEST_CASE("a request that waits for the rate can be cancelled", "[net][throttle]") {
  const ScriptedServer server([](const ScriptedServer::Request&) {
    return ScriptedServer::Reply{response(200, std::string(200'000, 'x'))};
  });
  Download wanted;
  wanted.url = server.url();
  async::Loop loop;
  Session session(loop);
  session.limit_rate(1);
  CHECK_THROWS_AS(
      loop.run(async::timeout(200ms, [&]() -> async::Co<> { co_await download(session, wanted); })),
      async::TimeoutError);
}
