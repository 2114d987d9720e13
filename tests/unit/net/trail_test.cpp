#include "core/net/trail.hpp"

#include "core/async/combine/timeout.hpp"
#include "tests/support/replies.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
namespace async = gather::async;
using gather::Duration;

namespace {

using Asked = ScriptedServer::Request;
using Reply = ScriptedServer::Reply;
using Then = ScriptedServer::Then;

Duration sum(const Phases& phases) {
  return phases.dns + phases.connect + phases.tls + phases.first_byte + phases.body;
}

struct Told {
  Trail trail;
  std::string ending;
  Duration took{};
};

Told told(const std::string& url) {
  Told result;
  Download wanted;
  wanted.url = url;
  wanted.trail = &result.trail;
  const auto began = std::chrono::steady_clock::now();
  result.ending = fetch(wanted);
  result.took = std::chrono::steady_clock::now() - began;
  return result;
}

}  // namespace

TEST_CASE("the wait for an answer and the time of its body are told apart", "[net][trail]") {
  const ScriptedServer server(
      [](const Asked&) { return Reply{response(200, std::string(600, 'x')), Then::keep, 40ms, 300, 50ms}; });
  const Told once = told(server.url("/a?b"));
  CHECK(once.ending == "200, 600 bytes");
  CHECK(once.trail.url == server.url("/a?b"));
  CHECK(once.trail.http_version == "1.1");
  CHECK(once.trail.phases.first_byte >= 39ms);
  CHECK(once.trail.phases.body >= 49ms);
  CHECK(once.trail.phases.tls == 0ms);
  CHECK(sum(once.trail.phases) <= once.took);
}

TEST_CASE("where a redirect led is told without what may open a door", "[net][trail]") {
  const ScriptedServer server([](const Asked& request) {
    if (request.target == "/a?b") return Reply{redirect("/c?token=d"), Then::keep, 30ms};
    return Reply{response(200, "hello"), Then::keep, 30ms};
  });
  const Told once = told(server.url("/a?b"));
  CHECK(once.ending == "200, 5 bytes");
  CHECK(once.trail.url == server.url("/c"));
  CHECK(once.trail.phases.first_byte >= 58ms);  // Of both.
}

TEST_CASE("a failed request tells in which phase its time went", "[net][trail]") {
  const ScriptedServer server([](const Asked&) { return Reply{"", Then::close, 40ms}; });
  const Told once = told(server.url());
  CHECK(once.ending == "truncated: HOST closed the connection before it answered");
  CHECK(once.trail.http_version.empty());
  CHECK(once.trail.phases.first_byte >= 39ms);
  CHECK(once.trail.phases.body == 0ms);
}

TEST_CASE("a request that is cancelled has told how far it came", "[net][trail]") {
  const ScriptedServer server([](const Asked&) { return Reply{response(200, "hello"), Then::stall, 5s}; });
  Trail trail;
  Download wanted;
  wanted.url = server.url();
  wanted.trail = &trail;
  async::Loop loop;
  Session session(loop);
  const auto give_up = [&]() -> async::Co<> {
    try {
      co_await async::timeout(
          60ms, [&]() -> async::Co<DownloadResult> { co_return co_await download(session, wanted); });
    } catch (const async::TimeoutError&) {
    }
  };
  loop.run(give_up());
  CHECK(trail.url == server.url());
  CHECK(trail.phases.first_byte >= 30ms);
  CHECK(trail.phases.first_byte < 5s);
}
