#include "core/async/task/future.hpp"

#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<int> value_of(Future<int> future) { co_return co_await future; }

using Heard = std::vector<std::string>;

void listen(Loop& loop, Heard& heard) {
  loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
}

Co<> fail() {
  throw std::runtime_error("lost");
  co_return;
}

}  // namespace

TEST_CASE("F1: a future ends once, with a value, an error or a cancel", "[async][future]") {
  run_virtual([](Loop& loop) -> Co<> {
    const Future<int> set = loop.create_future<int>();
    CHECK_THROWS_AS(set.result(), InvalidState);
    CHECK_THROWS_AS(set.exception(), InvalidState);
    set.set_result(5);
    CHECK(set.result() == 5);
    CHECK(set.exception() == nullptr);
    CHECK_THROWS_AS(set.set_result(6), InvalidState);
    CHECK_THROWS_AS(set.set_exception(std::runtime_error("late")), InvalidState);
    CHECK_FALSE(set.cancel());

    const Future<int> failed = loop.create_future<int>();
    failed.set_exception(std::runtime_error("broken"));
    CHECK_THROWS_WITH(failed.result(), "broken");
    CHECK(failed.exception() != nullptr);

    const Future<int> cancelled = loop.create_future<int>();
    CHECK(cancelled.cancel());
    CHECK(cancelled.cancelled());
    CHECK_FALSE(cancelled.cancel());
    CHECK_THROWS_AS(cancelled.result(), Cancelled);
    CHECK_THROWS_AS(cancelled.exception(), Cancelled);
    CHECK_THROWS_AS(cancelled.set_result(1), InvalidState);
    co_return;
  });
}

TEST_CASE("F2: done-callbacks are queued in order, never run inline, also those added after the end",
          "[async][future]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    const Future<int> future = loop.create_future<int>();
    future.add_done_callback([&] { log += "a"; });
    const CallbackId dropped = future.add_done_callback([&] { log += "x"; });
    future.add_done_callback([&](const Awaitable<int>& ended) { log += std::to_string(ended.result()); });
    CHECK(future.remove_done_callback(dropped));
    CHECK_FALSE(future.remove_done_callback(dropped));
    future.set_result(7);
    CHECK(log == "");
    future.add_done_callback([&] { log += "b"; });
    CHECK(log == "");
    co_await yield();
    co_await yield();
    CHECK(log == "a7b");

    const Task<> task = loop.create_task([]() -> Co<> { co_return; }());
    task.add_done_callback([&] { log += "c"; });
    co_await task;
    co_await yield();
    CHECK(log == "a7bc");
  });
}

TEST_CASE("F3: an error that nobody asked for is reported once; asking, awaiting and cancelling silence it",
          "[async][future]") {
  Heard heard;
  run_virtual([&](Loop& loop) -> Co<> {
    listen(loop, heard);
    loop.create_future().set_exception(std::runtime_error("lost"));
    const Future<> asked = loop.create_future();
    asked.set_exception(std::runtime_error("seen"));
    CHECK(asked.exception() != nullptr);
    const Future<> awaited = loop.create_future();
    awaited.set_exception(std::runtime_error("seen"));
    CHECK_THROWS_AS(co_await awaited, std::runtime_error);
    loop.create_future().cancel();

    loop.create_task(fail(), "forgotten");
    const Task<> seen = loop.create_task(fail(), "seen");
    co_await yield();
    co_await yield();
    CHECK_FALSE(seen.settled().has_value());
  });
  CHECK(heard == Heard{"future failed, and nobody asked for its result",
                       "task forgotten failed, and nobody asked for its result"});
}

TEST_CASE("F3: in debug mode the report tells where the task was made", "[async][future][debug]") {
  unsigned line = 0;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.set_debug(true);
    loop.set_exception_handler([&](const Complaint& complaint) { line = complaint.site.line(); });
    loop.create_task(fail()), co_await yield();
    co_await yield();
    CHECK(line == __LINE__ - 2);
  });
}

TEST_CASE("F4: a cancelled future wakes those who await it with Cancelled", "[async][future]") {
  run_virtual([](Loop& loop) -> Co<> {
    const Future<int> future = loop.create_future<int>();
    const Task<int> first = loop.create_task(value_of(future));
    const Task<int> second = loop.create_task(value_of(future));
    co_await yield();
    future.cancel();
    CHECK_FALSE(first.done());
    co_await yield();
    CHECK(first.cancelled());
    CHECK(second.cancelled());
    CHECK(first.cancelling() == 0);
    future.set_result_unless_cancelled(1);
    CHECK(future.cancelled());
  });
}

TEST_CASE("cancelling one who awaits a future cancels the future, as in asyncio", "[async][future]") {
  run_virtual([](Loop& loop) -> Co<> {
    const Future<int> future = loop.create_future<int>();
    const Task<int> first = loop.create_task(value_of(future));
    const Task<int> second = loop.create_task(value_of(future));
    co_await yield();
    first.cancel();
    CHECK(future.cancelled());
    co_await yield();
    CHECK(first.cancelled());
    CHECK(second.cancelled());
  });
}

TEST_CASE("an rvalue future gives its value away, an lvalue a copy", "[async][future]") {
  run_virtual([](Loop& loop) -> Co<> {
    Future<std::unique_ptr<int>> future = loop.create_future<std::unique_ptr<int>>();
    future.set_result(std::make_unique<int>(3));
    const std::unique_ptr<int> value = co_await std::move(future);
    CHECK(*value == 3);

    const Future<std::string> text = loop.create_future<std::string>();
    text.set_result("kept");
    CHECK(co_await text == "kept");
    CHECK(text.result() == "kept");
  });
}
