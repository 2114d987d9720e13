#include "core/async/combine/gather.hpp"
#include "core/async/loop/task_tree.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

using Heard = std::vector<std::string>;

// What the loop complained about, in debug mode.
template <class Body>
Heard heard_in_debug(Loop& loop, Body body) {
  Heard heard;
  loop.set_debug(true);
  loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
  loop.run(body());
  return heard;
}

Co<> nap(gather::Duration length) { co_await sleep(length); }

void hold_the_loop(const Loop& loop, gather::Duration length) {
  const TimePoint end = loop.now() + length;
  while (loop.now() < end) {
  }
}

Co<> inner(Future<> future) { co_await future; }
Co<> outer(Future<> future) { co_await inner(future); }

// Places and signatures differ from compiler to compiler, so that lines are compared without them.
std::string without_paths(const std::string& text) {
  static const std::regex place(R"(\S*/([a-z_]+\.[ch]pp):\d+)");
  static const std::regex signature(R"(  Co<>? ?[^\n]*::([a-z_]+)\([^\n]*)");
  return std::regex_replace(std::regex_replace(text, place, "$1"), signature, "  $1");
}

}  // namespace

TEST_CASE("D1: in debug mode a step or callback that is slow is reported by name and duration",
          "[async][debug]") {
  Loop loop;
  loop.set_slow_callback_duration(2ms);
  const Heard heard = heard_in_debug(loop, [&]() -> Co<> {
    loop.create_task(
        [](Loop& l) -> Co<> {
          co_await yield();
          hold_the_loop(l, 3ms);
        }(loop),
        "thinker");
    loop.call_soon([&] { hold_the_loop(loop, 3ms); });
    co_await nap(1ms);
  });
  REQUIRE(heard.size() >= 2);
  CHECK_THAT(heard[0], Catch::Matches("a callback held the loop for \\d+ ms"));
  CHECK_THAT(heard[1], Catch::Matches("task thinker held the loop for \\d+ ms"));
}

TEST_CASE("D2: in debug mode a coroutine that was never awaited is reported, with its place",
          "[async][debug]") {
  Loop loop(make_virtual_poller());
  std::source_location site;
  loop.set_debug(true);
  Heard heard;
  loop.set_exception_handler([&](const Complaint& complaint) {
    heard.push_back(complaint.message);
    site = complaint.site;
  });
  loop.run([]() -> Co<> {
    static_cast<void>(nap(1h));
    Co<> on_purpose = nap(1h);
    std::move(on_purpose).close();
    const Task<> cancelled = create_task(nap(1h));  // Its body never runs, and that is known.
    cancelled.cancel();
    co_return;
  }());
  REQUIRE(heard.size() == 1);
  CHECK_THAT(heard[0], Catch::Matches("the coroutine .*nap\\(.*\\) was never awaited"));
  CHECK_THAT(site.file_name(), Catch::EndsWith("debug_test.cpp"));
}

TEST_CASE("in debug mode a task that swallows a cancel is reported", "[async][debug]") {
  Loop loop(make_virtual_poller());
  const auto swallow = [](bool owns_up) -> Co<> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      if (owns_up) current_task().uncancel();
    }
  };
  const Heard heard = heard_in_debug(loop, [&]() -> Co<> {
    const Task<> silent = create_task(swallow(false), "silent");
    const Task<> honest = create_task(swallow(true), "honest");
    co_await yield();
    silent.cancel();
    honest.cancel();
    co_await silent;
    co_await honest;
  });
  CHECK(heard ==
        Heard{"task silent was cancelled, and swallowed it: it neither passed Cancelled on nor called "
              "uncancel()"});
}

TEST_CASE("D3: the tree of tasks shows who waits where, and for whom", "[async][debug]") {
  std::string tree;
  std::string stack;
  run_virtual([&](Loop& loop) -> Co<> {
    const Future<> never = loop.create_future();
    const Task<> waiter = loop.create_task(outer(never), "waiter");
    loop.call_later(1ms, [&, never, waiter] {
      tree = describe_tasks(loop);
      stack = describe_task(waiter);
      never.set_result();
    });
    const Task<> sleeper = loop.create_task(nap(1h), "sleeper");
    co_await waiter;
    sleeper.cancel();
  });
  CHECK(without_paths(stack) ==
        "task waiter\n"
        "    debug_test.cpp  outer\n"
        "    debug_test.cpp  inner\n");
  CHECK_THAT(without_paths(tree), Catch::StartsWith("task main\n    debug_test.cpp  "));
  CHECK_THAT(without_paths(tree), Catch::EndsWith("  task waiter\n"
                                                  "      debug_test.cpp  outer\n"
                                                  "      debug_test.cpp  inner\n"
                                                  "task sleeper\n"
                                                  "    debug_test.cpp  nap\n"));
}
