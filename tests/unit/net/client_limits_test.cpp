#include "core/async/combine/gather.hpp"
#include "core/async/combine/task_group.hpp"
#include "tests/unit/net/client_run.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

ScriptedServer::Script saying(std::string body) {
  return [bytes = response(200, body)](const ScriptedServer::Request&) { return Reply{bytes}; };
}

Co<std::string> text_of(ClientSession& session, std::string url) {
  auto answer = co_await session.get(std::move(url));
  co_return co_await answer.text();
}

}  // namespace

TEST_CASE("a pool of one connection serves requests one after another", "[net][client][limits]") {
  const ScriptedServer server(saying("hello"));
  Loop loop;
  ClientSession session(loop);
  for (int i = 0; i < 3; ++i) CHECK(within(loop, [&] { return text_of(session, server.url()); }) == "hello");
  CHECK(server.connections() == 1);
}

TEST_CASE("a request meets a kept connection that the server closed meanwhile, and gets another",
          "[net][client][limits]") {
  const ScriptedServer server(
      [](const ScriptedServer::Request& request) { return Reply{response(200, request.body), Then::close}; });
  Loop loop;
  within(loop, [&]() -> Co<> {
    ClientSession session;  // On the running loop.
    for (int i = 0; i < 5; ++i) {
      auto answer = co_await session.post(server.url(), {.body = "hello"});
      CHECK(co_await answer.text() == "hello");
    }
  });
  CHECK(server.requests().size() == 5);
}

// Each request at once needs a connection of its own, and all are kept: as many connections as requests at
// once.
TEST_CASE("fifty requests to one host are made six at a time", "[net][client][limits]") {
  ScriptedServer server(saying("hello"));
  server.hold(6);
  Loop loop;
  ClientSession session(loop, {.limit_per_host = 6});
  const auto results = within(loop, [&]() -> Co<std::vector<std::string>> {
    std::vector<Co<std::string>> requests;
    for (int i = 0; i < 50; ++i) requests.push_back(text_of(session, server.url(fmt::format("/{}", i))));
    co_return co_await async::gather(std::move(requests));
  });
  CHECK(results == std::vector<std::string>(50, "hello"));
  CHECK(server.most_at_once() == 6);
  CHECK(server.connections() == 6);
}

TEST_CASE("the limit for all hosts holds for all together", "[net][client][limits]") {
  ScriptedServer one(saying("one")), two(saying("two"));
  Loop loop;
  ClientSession session(loop, {.limit = 2, .limit_per_host = 2});
  within(loop, [&]() -> Co<> {
    auto first = co_await session.get(one.url());
    CHECK(co_await first.text() == "one");
  });
  ScriptedServer stalled(
      [](const ScriptedServer::Request&) { return Reply{"HTTP/1.1 200 OK\r\n\r\n", Then::stall}; });
  within(loop, [&]() -> Co<> {
    auto first = co_await session.get(stalled.url());
    auto second = co_await session.get(stalled.url());
    auto third = (co_await async::this_task()).loop().create_task(text_of(session, two.url()));
    for (int i = 0; i < 20; ++i) co_await async::sleep(1ms);
    CHECK(two.connections() == 0);
    first.close();
    CHECK(co_await third == "two");
    second.close();
  });
}

TEST_CASE("those who wait for a connection get it in the order of their calls", "[net][client][limits]") {
  const ScriptedServer server(saying("hello"));
  Loop loop;
  ClientSession session(loop, {.limit_per_host = 1});
  within(loop, [&]() -> Co<> {
    std::vector<Co<std::string>> requests;
    for (int i = 0; i < 20; ++i) requests.push_back(text_of(session, server.url(fmt::format("/{}", i))));
    co_await async::gather(std::move(requests));
  });
  std::string order;
  for (const auto& request : server.requests()) order += request.target;
  CHECK(order == "/0/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19");
  CHECK(server.connections() == 1);
}

TEST_CASE("a host whose connections are all in use holds up no other host", "[net][client][limits]") {
  const ScriptedServer busy(
      [](const ScriptedServer::Request&) { return Reply{"HTTP/1.1 200 OK\r\n\r\n", Then::stall}; });
  const ScriptedServer idle(saying("hello"));
  Loop loop;
  ClientSession session(loop, {.limit = 2, .limit_per_host = 1});
  within(loop, [&]() -> Co<> {
    auto& on = (co_await async::this_task()).loop();
    auto held = co_await session.get(busy.url());
    std::vector<async::Task<std::string>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(on.create_task(text_of(session, busy.url())));
    co_await async::yield();
    CHECK(co_await text_of(session, idle.url()) == "hello");
    for (auto& task : waiting) task.cancel();
  });
}

TEST_CASE("a connection is free as soon as the body has come, read or not", "[net][client][limits]") {
  const ScriptedServer server(saying("hello"));
  Loop loop;
  ClientSession session(loop, {.limit = 1});
  within(loop, [&]() -> Co<> {
    auto first = co_await session.get(server.url());
    auto second = co_await session.get(server.url());
    CHECK(co_await second.text() == "hello");
    CHECK(co_await first.text() == "hello");
  });
  CHECK(server.connections() == 1);
}

TEST_CASE("a response that is dropped gives its connection's place back", "[net][client][limits]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    if (request.target == "/long") return Reply{"HTTP/1.1 200 OK\r\n\r\nhel", Then::stall};
    return Reply{response(200, "hello")};
  });
  Loop loop;
  ClientSession session(loop, {.limit_per_host = 1});
  within(loop, [&]() -> Co<> {
    for (int i = 0; i < 3; ++i) (void)co_await session.get(server.url("/long"));
    CHECK(co_await text_of(session, server.url()) == "hello");
  });
  CHECK(server.connections() == 4);
}

TEST_CASE("without limits, 64 requests are under way at once", "[net][client][limits]") {
  ScriptedServer server(saying("hello"));
  server.hold(64);
  Loop loop;
  ClientSession session(loop, {.limit = 0});
  within(loop, [&]() -> Co<> {
    std::vector<Co<std::string>> requests;
    for (int i = 0; i < 64; ++i) requests.push_back(text_of(session, server.url()));
    co_await async::gather(std::move(requests));
  });
  CHECK(server.most_at_once() == 64);
}
