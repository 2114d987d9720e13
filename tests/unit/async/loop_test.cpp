#include "core/async/loop/loop.hpp"

#include "core/async/task/future.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

TEST_CASE("L1: call_soon runs callbacks once each in FIFO order; a cancelled one never runs",
          "[async][loop]") {
  std::string ran;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.call_soon([&] { ran += "a"; });
    Call dropped = loop.call_soon([&] { ran += "x"; });
    loop.call_soon([&] { ran += "b"; });
    dropped.cancel();
    co_await yield();
    co_await yield();
  });
  CHECK(ran == "ab");
}

TEST_CASE("L2: what a pass schedules waits for the next pass", "[async][loop]") {
  std::string ran;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.call_soon([&] {
      ran += "1";
      loop.call_soon([&] { ran += "3"; });
    });
    loop.call_soon([&] { ran += "2"; });
    co_await sleep(1ms);
  });
  CHECK(ran == "123");
}

TEST_CASE("L3: a negative delay is 0, and call_at takes the loop's clock", "[async][loop]") {
  std::string ran;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.call_at(loop.now() + 2ms, [&] { ran += "at"; });
    loop.call_later(-5s, [&] { ran += "now "; });
    co_await sleep(3ms);
  });
  CHECK(ran == "now at");
}

TEST_CASE("L4: a timer never fires early", "[async][loop]") {
  Loop loop;
  loop.run([](Loop& l) -> Co<> {
    for (int i = 0; i < 50; ++i) {
      const auto start = l.now();
      co_await sleep(std::chrono::microseconds(300 + 7 * i));
      CHECK(l.now() - start >= std::chrono::microseconds(300 + 7 * i));
    }
  }(loop));
}

TEST_CASE("L5: equal deadlines fire in order of the calls", "[async][loop]") {
  std::string ran;
  run_virtual([&](Loop& loop) -> Co<> {
    for (char c = 'a'; c <= 'g'; ++c) loop.call_later(5ms, [&ran, c] { ran += c; });
    co_await sleep(6ms);
  });
  CHECK(ran == "abcdefg");
}

TEST_CASE("L7: sleep(0) is exactly one trip through the ready queue", "[async][loop]") {
  std::string ran;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.call_soon([&] { ran += "before "; });
    co_await sleep(0s);
    ran += "after";
    CHECK(loop.now() == TimePoint());
  });
  CHECK(ran == "before after");
}

TEST_CASE("L8: post from another thread wakes a loop that waits, in order", "[async][loop]") {
  Loop loop;
  std::string ran;
  std::thread poster;
  loop.run([](Loop& l, std::string& text, std::thread& thread) -> Co<> {
    Future<> last;
    thread = std::thread([&] {
      l.post([&] { text += "a"; });
      l.post([&] { text += "b"; });
      l.post([&] { last.set_result(); });
    });
    co_await last;
  }(loop, ran, poster));
  poster.join();
  CHECK(ran == "ab");
}

TEST_CASE("L9: an exception in a callback goes to the handler, and a throwing handler is contained",
          "[async][loop]") {
  std::vector<std::string> heard;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.set_exception_handler([&](const Complaint& complaint) {
      heard.push_back(complaint.message + ": " + describe(complaint.error));
      throw std::runtime_error("the handler is broken");
    });
    loop.call_soon([] { throw std::runtime_error("first"); });
    loop.call_soon([] { throw std::runtime_error("second"); });
    co_await yield();
    co_await yield();
  });
  CHECK(heard == std::vector<std::string>{"a callback failed: first", "a callback failed: second"});
}

TEST_CASE("a virtual loop jumps to the next timer", "[async][loop]") {
  run_virtual([](Loop& loop) -> Co<> {
    co_await sleep(24h);
    CHECK(loop.now() == TimePoint(24h));
  });
}

TEST_CASE("a virtual loop that can never go on says so, and unwinds every task", "[async][loop]") {
  bool unwound = false;
  CHECK_THROWS_AS(run_virtual([&](Loop&) -> Co<> {
                    Future<> never;
                    try {
                      co_await never;
                    } catch (const Cancelled&) {
                      unwound = true;
                      throw;
                    }
                  }),
                  Deadlock);
  CHECK(unwound);
}

TEST_CASE("one loop can run several mains, one after the other", "[async][loop]") {
  Loop loop;
  const auto twice = [](int n) -> Co<int> { co_return 2 * n; };
  CHECK(loop.run(twice(1)) == 2);
  CHECK(loop.run(twice(2)) == 4);
}
