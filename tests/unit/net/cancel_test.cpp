#include "core/async/combine/task_group.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/combine/wait.hpp"
#include "core/async/task/future.hpp"
#include "core/async/thread/to_thread.hpp"
#include "tests/unit/descriptors.hpp"
#include "tests/unit/net/fetch.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <semaphore>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::net;
using namespace gather::test;
using gather::async::Co;
using gather::async::Loop;
namespace async = gather::async;

namespace {

using Reply = ScriptedServer::Reply;

Reply half_a_body(const ScriptedServer::Request&) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", ScriptedServer::Then::stall};
}

/// Waits until the file has that many bytes; two seconds at most.
Co<bool> grown(std::filesystem::path file, std::uintmax_t bytes) {
  std::error_code ignored;
  for (int i = 0; i < 2000; ++i) {
    if (std::filesystem::exists(file, ignored) && std::filesystem::file_size(file, ignored) >= bytes)
      co_return true;
    co_await async::sleep(1ms);
  }
  co_return false;
}

}  // namespace

TEST_CASE("a cancelled download leaves no part and no connection", "[net][cancel]") {
  const Folder folder;
  folder.write("a", "old");
  const ScriptedServer server(half_a_body);
  const Download wanted{.url = server.url(), .output = folder / "a"};
  Loop loop;
  Session session(loop);
  bool began = false;
  CHECK_THROWS_AS(loop.run([](Loop& on, Session& with, const Download& what, bool& flag) -> Co<> {
    auto task = on.create_task(download(with, what));
    flag = co_await grown(*what.output + ".part", 5);
    task.cancel();
    co_await task;
  }(loop, session, wanted, began)),
                  async::Cancelled);
  CHECK(began);
  CHECK(folder.list() == "a");
  CHECK(folder.read("a") == "old");
}

TEST_CASE("a download can be cancelled in every one of its first passes", "[net][cancel]") {
  const Folder folder;
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  const Download wanted{.url = server.url(), .output = folder / "a"};
  Loop loop;
  Session session(loop);
  for (int passes = 0; passes < 40; ++passes) {
    loop.run([](Loop& on, Session& with, const Download& what, int wait) -> Co<> {
      auto task = on.create_task(download(with, what));
      for (int i = 0; i < wait; ++i) co_await async::yield();
      task.cancel();
      try {
        co_await task;
      } catch (const async::Cancelled&) {
      }
    }(loop, session, wanted, passes));
    CHECK_FALSE(std::filesystem::exists(folder / "a.part"));
  }
}

TEST_CASE("a download that is cancelled while its file waits for a thread makes none",
          "[net][cancel][at_once]") {
  const Folder folder;
  OutputFolders folders;
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  std::uint64_t received = 0;
  Download wanted{.url = server.url(), .output = folder / "a"};
  wanted.folders = &folders;
  wanted.received = &received;
  std::binary_semaphore gate(0);
  Loop loop;
  Session session(loop);
  loop.run([](Loop& on, Session& with, const Download& what, std::binary_semaphore& busy) -> Co<> {
    auto blocked = async::run_in_executor(what.folders->maker(), [&busy] { busy.acquire(); });
    auto task = on.create_task(download(with, what));
    while (*what.received < 5) co_await async::sleep(1ms);
    // What follows the body takes passes that look for events, not time; a yield alone need not look.
    for (int i = 0; i < 20; ++i) co_await async::sleep(1us);
    CHECK_FALSE(task.done());
    task.cancel();
    co_await async::wait(std::vector{task});
    CHECK(task.cancelled());
    busy.release();
    co_await std::move(blocked);
  }(loop, session, wanted, gate));
  CHECK(folders.maker().threads() == 1);
  folders.maker().shutdown();
  CHECK(folder.list().empty());
}

TEST_CASE("a timeout around a download is a timeout", "[net][cancel]") {
  const Folder folder;
  const ScriptedServer server(half_a_body);
  const Download wanted{.url = server.url(), .output = folder / "a"};
  Loop loop;
  Session session(loop);
  CHECK_THROWS_AS(loop.run(async::timeout(50ms, [&] { return download(session, wanted); })),
                  async::TimeoutError);
  CHECK(folder.list().empty());
}

TEST_CASE("cancelling during a name lookup does not wait for it", "[net][cancel]") {
  Loop loop;
  Session session(loop);
  const Download wanted{.url = "http://nonexistent.invalid/"};
  const auto begin = loop.now();
  try {
    loop.run(async::timeout(2ms, [&] { return download(session, wanted); }));
  } catch (const async::TimeoutError&) {
  }
  CHECK(loop.now() - begin < 1s);
}

TEST_CASE("C63: two downloads to one file: one wins, the other is told", "[net][cancel]") {
  const Folder folder;
  const ScriptedServer server([](const ScriptedServer::Request&) { return Reply{response(200, "hello")}; });
  const Download wanted{.url = server.url(), .output = folder / "a"};
  Loop loop;
  Session session(loop);
  std::string first, second;
  loop.run(async::task_group([&](async::TaskGroup& group) -> Co<> {
    const auto into = [](Session& with, const Download& what, std::string& text) -> Co<> {
      text = describe(co_await download(with, what));
    };
    group.spawn(into(session, wanted, first));
    group.spawn(into(session, wanted, second));
    co_return;
  }));
  CHECK(first == "200, 5 bytes");
  CHECK(second == "local: a download of " + (folder / "a").native() + " is in progress already");
  CHECK(folder.list() == "a");
}

TEST_CASE("everything is closed when session and loop have gone", "[net][cancel]") {
  {
    const Loop first;
  }  // libuv keeps a pipe for signals from its first loop on.
  const std::size_t before = open_descriptors();
  {
    const ScriptedServer server(half_a_body);
    CHECK(fetch({.url = server.url()}, {.stall_timeout = 30ms}) == "timeout: HOST sent nothing for 30 ms");
  }
  CHECK(settled(before));
}
