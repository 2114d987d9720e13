#include "core/async/combine/timeout.hpp"

#include "tests/unit/async/clean_up.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::clean_up_for;
using gather::test::run_virtual;

namespace {

Co<> sleep_for(gather::Duration length) { co_await sleep(length); }

// Is cancelled, and goes on living without taking that back.
Co<> swallow_a_cancel() {
  current_task().cancel();
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
  }
}

}  // namespace

TEST_CASE("a body that ends in time gives its value", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK(co_await timeout(1s, []() -> Co<int> {
            co_await sleep(999ms);
            co_return 3;
          }) == 3);
    CHECK(loop.timers() == 0);
  });
}

TEST_CASE("a timeout waits for the body's cleanup, then throws TimeoutError", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(co_await timeout(10ms, []() { return clean_up_for(5ms); }), TimeoutError);
    CHECK(loop.now() == TimePoint(15ms));
    CHECK(current_task().cancelling() == 0);
  });
}

TEST_CASE("a body that swallows the cancel and returns keeps its value", "[async][timeout]") {
  run_virtual([](Loop&) -> Co<> {
    const int value = co_await timeout(10ms, [](TimeoutScope& scope) -> Co<int> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        CHECK(scope.expired());
      }
      co_return 4;
    });
    CHECK(value == 4);
    CHECK(current_task().cancelling() == 0);
  });
}

TEST_CASE("without a length there is no limit, and with one that has passed the first suspension ends it",
          "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    co_await timeout(std::nullopt, [](TimeoutScope& scope) -> Co<> {
      CHECK_FALSE(scope.when());
      co_await sleep(1h);
      CHECK_FALSE(scope.expired());
    });
    co_await timeout_at(std::nullopt, []() { return sleep_for(1h); });
    CHECK(loop.now() == TimePoint(2h));
    for (const auto length : {0s, -1s}) {
      CHECK_THROWS_AS(co_await timeout(length, []() { return sleep_for(1h); }), TimeoutError);
      CHECK_THROWS_AS(co_await timeout(length, []() { return sleep_for(0s); }), TimeoutError);
    }
    CHECK(co_await timeout(0s, []() -> Co<int> { co_return 1; }) == 1);
    CHECK(loop.now() == TimePoint(2h));
    co_await sleep(1ms);
  });
}

TEST_CASE("W8: a timeout converts a cancel only if its own time was up and no other request is left",
          "[async][timeout]") {
  SECTION("a foreign cancel before the deadline") {
    run_virtual([](Loop& loop) -> Co<> {
      bool expired = true;
      auto task = loop.create_task([](bool& it) -> Co<> {
        co_await timeout(1s, [&](TimeoutScope& scope) -> Co<> {
          try {
            co_await sleep(1h);
          } catch (const Cancelled&) {
            it = scope.expired();
            throw;
          }
        });
      }(expired));
      co_await sleep(1ms);
      task.cancel();
      co_await yield();
      CHECK(task.cancelled());
      CHECK_FALSE(expired);
    });
  }
  SECTION("a foreign cancel while the body cleans up after the deadline") {
    run_virtual([](Loop& loop) -> Co<> {
      auto task = loop.create_task(timeout(10ms, []() { return clean_up_for(10ms); }));
      co_await sleep(15ms);
      task.cancel();
      CHECK_THROWS_AS(co_await task, Cancelled);
      CHECK(task.cancelling() == 1);
    });
  }
  SECTION("a foreign cancel in the pass of the deadline, before and after it") {
    for (const auto moment : {TimePoint(10ms), TimePoint(9ms)})
      run_virtual([&](Loop& loop) -> Co<> {
        Task<> task;
        loop.call_at(moment, [&] { task.cancel(); });
        task = loop.create_task(timeout(10ms, []() { return clean_up_for(2ms); }));
        CHECK_THROWS_AS(co_await task, Cancelled);
        CHECK(task.cancelling() == 1);
      });
  }
  SECTION("a request that the task has dealt with before does not count") {
    run_virtual([](Loop&) -> Co<> {
      co_await swallow_a_cancel();
      CHECK_THROWS_AS(co_await timeout(0s, []() { return sleep_for(1h); }), TimeoutError);
      CHECK(current_task().cancelling() == 1);
      CHECK_THROWS_AS(co_await timeout(1s,
                                       []() -> Co<> {
                                         current_task().cancel();
                                         co_await sleep(1h);
                                       }),
                      Cancelled);
      CHECK(current_task().cancelling() == 2);
    });
  }
}

TEST_CASE("W9: another error leaves the scope unchanged, expired or not, and no request is left behind",
          "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(co_await timeout(1ms,
                                     []() -> Co<> {
                                       try {
                                         co_await sleep(1h);
                                       } catch (const Cancelled&) {
                                         throw std::domain_error("from cleanup");
                                       }
                                     }),
                    std::domain_error);
    CHECK(current_task().cancelling() == 0);
    CHECK_THROWS_AS(co_await timeout(1h,
                                     []() -> Co<> {
                                       throw std::domain_error("in time");
                                       co_return;
                                     }),
                    std::domain_error);
    CHECK(current_task().cancelling() == 0);
    CHECK(loop.timers() == 0);

    auto outer = loop.create_task([]() -> Co<> {
      CHECK_THROWS_AS(co_await timeout(1ms, []() { return sleep_for(1h); }), TimeoutError);
      co_await sleep(1ms);
    }());
    co_await outer;
    CHECK_FALSE(outer.cancelled());
    CHECK(outer.cancelling() == 0);
  });
}

TEST_CASE("W10: of nested scopes only the one that expired converts, and both at once end at the outer one",
          "[async][timeout]") {
  struct Seen {
    bool inner = false;
    bool outer = false;
  };
  // Two deadlines around an hour's sleep.
  const auto nest = [](TimePoint outer, TimePoint inner) -> Co<Seen> {
    Seen seen;
    try {
      co_await timeout_at(outer, [&]() -> Co<> {
        try {
          co_await timeout_at(inner, []() { return sleep_for(1h); });
        } catch (const TimeoutError&) {
          seen.inner = true;
        }
      });
    } catch (const TimeoutError&) {
      seen.outer = true;
    }
    CHECK(current_task().cancelling() == 0);
    co_return seen;
  };
  run_virtual([&](Loop& loop) -> Co<> {
    co_await sleep(1s);
    const auto start = loop.now();
    auto seen = co_await nest(start + 10ms, start + 5ms);
    CHECK((seen.inner && !seen.outer));
    seen = co_await nest(start + 15ms, start + 1h);
    CHECK((!seen.inner && seen.outer));
    const auto now = loop.now();
    for (const auto inner : {now, now - 1ms, now - 3ms}) {  // All of them overdue when the loop looks.
      seen = co_await nest(now - 2ms, inner);
      CHECK((!seen.inner && seen.outer));
    }
    CHECK(loop.now() == now);
  });
}

TEST_CASE("W11: a deadline can be asked for and moved, from inside and outside, until it has passed",
          "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    TimeoutScope* scope = nullptr;
    const auto start = loop.now();
    auto task = loop.create_task([](TimePoint when, TimeoutScope*& place) -> Co<> {
      co_await timeout_at(when, [&](TimeoutScope& its) -> Co<> {
        place = &its;
        co_await sleep(1h);
      });
    }(start + 10s, scope));
    co_await yield();
    CHECK(scope->when() == start + 10s);
    scope->reschedule(start + 30s);
    CHECK(scope->when() == start + 30s);
    co_await sleep(20s);
    scope->reschedule(std::nullopt);
    CHECK_FALSE(scope->when());
    co_await sleep(20s);
    CHECK_FALSE(scope->expired());
    scope->reschedule(start);  // Has passed: expires in the next pass.
    CHECK_THROWS_AS(co_await task, TimeoutError);
    CHECK(loop.now() == start + 40s);

    CHECK_THROWS_AS(co_await timeout(1ms,
                                     [&](TimeoutScope& its) -> Co<> {
                                       its.reschedule(loop.now() + 2ms);
                                       try {
                                         co_await sleep(1h);
                                       } catch (const Cancelled&) {
                                         CHECK(its.expired());
                                         CHECK_THROWS_AS(its.reschedule(std::nullopt), InvalidState);
                                         throw;
                                       }
                                     }),
                    TimeoutError);
    CHECK(loop.now() == start + 40s + 2ms);
  });
}

TEST_CASE("W12: a foreign cancel that came before timeout(0) wins", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task([]() -> Co<> {
      current_task().cancel();
      co_await timeout(0s, []() { return sleep_for(1h); });
    }());
    co_await sleep(1ms);
    CHECK(task.cancelled());
    CHECK(task.cancelling() == 1);
  });
}
