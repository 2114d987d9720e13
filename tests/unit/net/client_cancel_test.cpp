#include "core/async/combine/task_group.hpp"
#include "tests/unit/descriptors.hpp"
#include "tests/unit/net/client_run.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <optional>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

Reply half_a_body(const ScriptedServer::Request&) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", Then::stall};
}
Reply nothing(const ScriptedServer::Request&) { return {"", Then::stall}; }

/// A redirect, a body that does not fit the buffer, and a reader with pauses: every kind of await there is.
Co<> whole_story(ClientSession& session, std::string url) {
  auto pieces = [left = 3]() mutable -> Co<std::optional<std::string>> {
    co_await async::yield();
    if (left-- == 0) co_return std::nullopt;
    co_return std::string("piece");
  };
  auto answer = co_await session.post(std::move(url), {.body = stream_body(std::move(pieces))});
  while (co_await answer.read_some()) co_await async::yield();
}

/// Lets the other tasks run so many passes, or until `task` is done.
Co<> pass(const async::Task<>& task, int count) {
  for (int i = 0; i < count && !task.done(); ++i) co_await async::yield();
}

}  // namespace

TEST_CASE("a cancelled request closes its connection at once", "[net][client][cancel]") {
  const ScriptedServer silent(nothing), halting(half_a_body);
  Loop loop;
  ClientSession session(loop);
  const auto waiting_for_head = [&]() -> Co<> { co_await session.get(silent.url()); };
  const auto waiting_for_body = [&]() -> Co<> {
    auto answer = co_await session.get(halting.url());
    co_await answer.read();
  };
  within(loop, [&]() -> Co<> {
    auto head = loop.create_task(waiting_for_head());
    auto body = loop.create_task(waiting_for_body());
    CHECK(co_await soon([&] { return silent.requests().size() + halting.requests().size() == 2; }));
    head.cancel();
    body.cancel();
    CHECK(co_await soon([&] { return silent.open_connections() + halting.open_connections() == 0; }));
    CHECK(head.cancelled());
    CHECK(body.cancelled());
  });
}

TEST_CASE("a cancelled reader loses no byte", "[net][client][cancel]") {
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    auto answer = co_await session.get(server.url());
    CHECK(co_await answer.read_some(4) == "hell");
    CHECK(co_await answer.read_some(1) == "o");
    const auto read = [&]() -> Co<> { co_await answer.read_some(); };
    auto reader = loop.create_task(read());
    co_await async::yield();
    reader.cancel();
    co_await async::yield();
    co_await async::yield();
    CHECK(reader.cancelled());
    CHECK_FALSE(answer.at_eof());  // It lives.
    CHECK(server.open_connections() == 1);
  });
}

TEST_CASE("a request that is cancelled while it waits for a connection gives its place up",
          "[net][client][cancel]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return request.target == "/long" ? half_a_body(request) : Reply{response(200, "hello")};
  });
  Loop loop;
  ClientSession session(loop, {.limit_per_host = 1});
  within(loop, [&]() -> Co<> {
    const auto ask = [](ClientSession& with, std::string url) -> Co<std::string> {
      auto answer = co_await with.get(std::move(url));
      co_return co_await answer.text();
    };
    std::optional<ClientResponse> held(co_await session.get(server.url("/long")));
    auto first = loop.create_task(ask(session, server.url("/first")));
    auto second = loop.create_task(ask(session, server.url("/second")));
    co_await async::yield();
    co_await async::yield();
    held.reset();    // The place is handed to the first ...
    first.cancel();  // ... who can't take it any more.
    CHECK(co_await second == "hello");
    CHECK(first.cancelled());
  });
  CHECK(server.requests().size() == 2);
}

TEST_CASE("a request can be cancelled in every one of its passes, and leaves nothing",
          "[net][client][cancel]") {
  const std::string body(300'000, 'x');
  const ScriptedServer server([&](const ScriptedServer::Request& request) {
    if (request.target == "/") return Reply{response(303, "moved", "Location: /long\r\n")};
    return Reply{response(200, body)};
  });
  {
    const Loop first;
  }  // libuv keeps a pipe for signals from its first loop on.
  const std::size_t before = open_descriptors();
  int passes = 0;
  bool finished = false;
  for (; !finished && passes < 2000; passes += passes < 100 ? 1 : 37) {
    Loop loop;
    ClientSession session(loop, {.limit_per_host = 1});
    finished = within(loop, [&]() -> Co<bool> {
      auto task = loop.create_task(whole_story(session, server.url()));
      co_await pass(task, passes);
      if (task.done()) co_return true;
      task.cancel();
      try {
        co_await task;
      } catch (const async::Cancelled&) {
      }
      co_return false;
    });
  }
  CHECK(passes > 10);
  CHECK(settled(before));
}

TEST_CASE("dropping a response that was not read closes its connection", "[net][client][cancel]") {
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    {
      auto answer = co_await session.get(server.url());
      CHECK(server.open_connections() == 1);
    }
    CHECK(co_await soon([&] { return server.open_connections() == 0; }));
  });
}

TEST_CASE("dropping a response that has come whole keeps its connection", "[net][client][cancel]") {
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    for (int i = 0; i < 3; ++i) {
      auto answer = co_await session.get(server.url());
      while (answer.buffered() < 5) co_await async::yield();
      co_await async::yield();
    }
  });
  CHECK(server.connections() == 1);
}

TEST_CASE("who reads a response that another closes is told", "[net][client][cancel]") {
  const ScriptedServer server(half_a_body);
  Loop loop;
  ClientSession session(loop);
  within(loop, [&]() -> Co<> {
    std::optional<ClientResponse> answer(co_await session.get(server.url()));
    const auto read = [](Co<std::string> body) -> Co<std::string> {
      try {
        co_return co_await std::move(body);
      } catch (const ClientConnectionError& error) {
        co_return error.what();
      }
    };
    auto reader = loop.create_task(read(answer->read()));
    co_await async::yield();
    answer.reset();
    CHECK(co_await reader == "the response was closed");
  });
}

TEST_CASE("closing the session fails what is under way, waits or comes later", "[net][client][cancel]") {
  const ScriptedServer silent(nothing), halting(half_a_body);
  Loop loop;
  std::optional<ClientSession> session;
  session.emplace(loop, ClientOptions{.limit_per_host = 1});
  within(loop, [&]() -> Co<> {
    const auto ending = [](ClientSession& with, std::string url) -> Co<std::string> {
      try {
        auto answer = co_await with.get(std::move(url));
        co_await answer.read();
      } catch (const ClientConnectionError& error) {
        co_return error.what();
      }
      co_return "no error";
    };
    auto for_head = loop.create_task(ending(*session, silent.url()));
    auto for_place = loop.create_task(ending(*session, silent.url()));
    auto for_body = loop.create_task(ending(*session, halting.url()));
    CHECK(co_await soon([&] { return silent.requests().size() + halting.requests().size() == 2; }));
    session->close();
    CHECK(session->closed());
    CHECK(co_await for_head == "the session is closed");
    CHECK(co_await for_place == "the session is closed");
    CHECK(co_await for_body == "the session is closed");
    CHECK(co_await ending(*session, silent.url()) == "the session is closed");
    CHECK(co_await soon([&] { return silent.open_connections() + halting.open_connections() == 0; }));
  });
}

TEST_CASE("a session may die before its responses", "[net][client][cancel]") {
  const ScriptedServer server([](const ScriptedServer::Request& request) {
    return request.target == "/long" ? half_a_body(request) : Reply{response(200, "hello")};
  });
  Loop loop;
  std::optional<ClientSession> session;
  session.emplace(loop);
  within(loop, [&]() -> Co<> {
    auto whole = co_await session->get(server.url());
    CHECK(co_await whole.text() == "hello");
    auto half = co_await session->get(server.url("/long"));
    session.reset();
    CHECK(whole.status() == 200);
    CHECK_THROWS_AS(co_await half.read(), ClientConnectionError);
  });
}

TEST_CASE("everything is closed when a session and its loop have gone", "[net][client][cancel]") {
  {
    const Loop first;
  }  // libuv keeps a pipe for signals from its first loop on.
  const std::size_t before = open_descriptors();
  {
    const ScriptedServer server(half_a_body);
    Loop loop;
    ClientSession session(loop);
    std::optional<ClientResponse> kept;
    within(loop, [&]() -> Co<> { kept.emplace(co_await session.get(server.url())); });
    CHECK(open_descriptors() > before);
  }
  CHECK(settled(before));
}

TEST_CASE("a pool without requests costs no descriptor", "[net][client][cancel]") {
  Loop loop;
  const int before = lowest_free_descriptor();
  const ClientSession session(loop);
  CHECK(lowest_free_descriptor() == before);
}
