#include "core/async/loop/loop.hpp"

#include "core/async/loop/running.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <semaphore>
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

TEST_CASE("L6: cancelled timers do not accumulate", "[async][loop]") {
  run_virtual([](Loop& loop) -> Co<> {
    for (int i = 0; i < 1000; ++i) {
      loop.call_later(1h, [] {}).cancel();
      const Task<> sleeper = loop.create_task([]() -> Co<> { co_await sleep(1h); }());
      co_await yield();
      sleeper.cancel();
      co_await yield();
    }
    CHECK(loop.timers() == 0);
  });
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
    const Future<> last = l.create_future();
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

TEST_CASE("L8: a loop that is about to wait misses nothing that is posted", "[async][loop]") {
  constexpr int rounds = 20'000;
  Loop loop;
  int heard = 0;
  int missed = 0;
  std::thread poster;
  loop.run([&](Loop& l) -> Co<> {
    const Future<> last = l.create_future();
    poster = std::thread([&] {
      // The next is posted as soon as this one is heard of, so around the time when the loop begins to wait;
      // how far around, each round has its own.
      std::binary_semaphore answered(0);
      for (int round = 0; round < rounds && missed == 0; ++round) {
        l.post([&] {
          ++heard;
          answered.release();
        });
        if (!answered.try_acquire_for(10s)) ++missed;
        for (int i = 0; i < round % 64; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
      }
      l.post([&] { last.set_result(); });
    });
    Call after_a_miss = l.call_later(15s, [] {});
    co_await last;
    after_a_miss.cancel();
  }(loop));
  poster.join();
  CHECK(missed == 0);
  CHECK(heard == rounds);
}

TEST_CASE("L8: in debug mode a call from a foreign thread is an error", "[async][loop][debug]") {
  Loop loop;
  loop.set_debug(true);
  std::string error;
  std::thread stranger;
  loop.run([](Loop& l, std::string& text, std::thread& thread) -> Co<> {
    const Future<> tried = l.create_future();
    thread = std::thread([&] {
      try {
        l.call_soon([] {});
      } catch (const InvalidState& refused) {
        text = refused.what();
      }
      l.post([&] { tried.set_result(); });
    });
    co_await tried;
  }(loop, error, stranger));
  stranger.join();
  CHECK(error == "a call from a thread that is not the loop's; use post() there");
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
  CHECK_THROWS_AS(run_virtual([&](Loop& loop) -> Co<> {
                    const Future<> never = loop.create_future();
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

TEST_CASE("L10: stop() before the run gives exactly one pass, later the end after the pass",
          "[async][loop]") {
  Loop loop(make_virtual_poller());
  std::string ran;
  loop.call_soon([&] {
    ran += "1";
    loop.call_soon([&] { ran += "2"; });
  });
  loop.stop();
  loop.run_forever();
  CHECK(ran == "1");
  loop.call_later(1ms, [&] {
    ran += "3";
    loop.call_soon([&] { ran += "x"; });
    loop.stop();
  });
  loop.run_forever();
  CHECK(ran == "123");
}

TEST_CASE("L10: running a loop inside a running loop is an error", "[async][loop]") {
  Loop other(make_virtual_poller());
  run_virtual([&](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(loop.run_forever(), InvalidState);
    CHECK_THROWS_AS(other.run([]() -> Co<> { co_return; }()), InvalidState);
    CHECK(&get_running_loop() == &loop);
    co_return;
  });
}

TEST_CASE("a loop that is stopped before its main is done says so, and unwinds it", "[async][loop]") {
  Loop loop(make_virtual_poller());
  loop.call_later(1ms, [&] { loop.stop(); });
  CHECK_THROWS_AS(loop.run([]() -> Co<> { co_await sleep(1h); }()), InvalidState);
  CHECK(loop.all_tasks().empty());
}

TEST_CASE("a callback that schedules itself for ever does not keep I/O and timers waiting", "[async][loop]") {
  Loop loop;
  bool stop = false;
  std::function<void()> again = [&] {
    if (!stop) loop.call_soon([&] { again(); });
  };
  again();
  loop.run([](bool& stopped) -> Co<> {
    co_await sleep(5ms);
    stopped = true;
  }(stop));
  CHECK(stop);
}
