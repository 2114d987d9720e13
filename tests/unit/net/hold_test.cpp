// What a transfer does to the others of its loop while it has all that it needs.
#include "core/async/combine/gather.hpp"
#include "core/async/task/sleep.hpp"
#include "core/net/multi.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;

namespace {

/// Counts the passes of the loop until `over`.
async::Co<> count(int& passes, const bool& over) {
  while (!over) {
    ++passes;
    co_await async::yield();
  }
}

}  // namespace

TEST_CASE("a body that comes faster than it is taken leaves the loop to others", "[net][session]") {
  // In one call libcurl would hand over all that the socket holds.
  const ScriptedServer server([bytes = response(200, std::string(400'000, 'x'))](
                                  const ScriptedServer::Request&) { return ScriptedServer::Reply{bytes}; });
  async::Loop loop;
  Session session(loop);
  int passes = 0;
  int pieces = 0;
  int first = 0;
  int last = 0;
  bool over = false;
  Download wanted{.url = server.url()};
  wanted.take = [&](std::string_view) -> std::expected<void, std::string> {
    if (pieces++ == 0) first = passes;
    last = passes;
    const auto until = std::chrono::steady_clock::now() + 2 * Multi::longest_hold;
    while (std::chrono::steady_clock::now() < until) {
    }
    return {};
  };
  const auto fetching = [&]() -> async::Co<DownloadResult> {
    auto result = co_await download(session, wanted);
    over = true;
    co_return result;
  };
  const auto both = [&]() -> async::Co<> {
    const auto [result, nothing] = co_await async::gather(fetching(), count(passes, over));
    CHECK(describe(result) == "200, 400000 bytes");
  };
  loop.run(both());
  REQUIRE(pieces >= 20);
  CHECK(last - first >= pieces / 2);
}
