#include "core/async/combine/timeout.hpp"

#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

TEST_CASE("a body that ends in time gives its value", "[async][timeout]") {
  CHECK(run_virtual([](Loop&) -> Co<int> {
          co_return co_await timeout(1s, []() -> Co<int> {
            co_await sleep(999ms);
            co_return 3;
          });
        }) == 3);
}

TEST_CASE("W4: a timeout waits for the body's cleanup, then throws TimeoutError and leaks no count",
          "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    CHECK_THROWS_AS(co_await timeout(10ms,
                                     []() -> Co<> {
                                       bool cancelled = false;
                                       try {
                                         co_await sleep(1h);
                                       } catch (const Cancelled&) {
                                         cancelled = true;
                                       }
                                       co_await sleep(5ms);
                                       if (cancelled) throw Cancelled{};
                                     }),
                    TimeoutError);
    CHECK(loop.now() == TimePoint(15ms));
    CHECK(loop.current_task()->cancelling() == 0);
  });
}

TEST_CASE("W6: a body that swallows the cancel and returns keeps its value", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    const int value = co_await timeout(10ms, []() -> Co<int> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
      }
      co_return 4;
    });
    CHECK(value == 4);
    CHECK(loop.current_task()->cancelling() == 0);
  });
}

TEST_CASE("W8: a cancel from outside stays a cancel", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task =
        loop.create_task([]() -> Co<> { co_await timeout(1s, []() -> Co<> { co_await sleep(1h); }); }());
    co_await sleep(1ms);
    task.cancel();
    co_await yield();
    CHECK(task.cancelled());
  });
}

TEST_CASE("W9: another error leaves the scope unchanged, expired or not", "[async][timeout]") {
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
    CHECK(loop.current_task()->cancelling() == 0);
  });
}

TEST_CASE("W10: of nested scopes that expire together the outer one converts", "[async][timeout]") {
  run_virtual([](Loop&) -> Co<> {
    bool inner_converted = false;
    CHECK_THROWS_AS(co_await timeout(1ms,
                                     [&]() -> Co<> {
                                       try {
                                         co_await timeout(1ms, []() -> Co<> { co_await sleep(1h); });
                                       } catch (const TimeoutError&) {
                                         inner_converted = true;
                                       }
                                     }),
                    TimeoutError);
    CHECK_FALSE(inner_converted);
  });
}

TEST_CASE("W11: a deadline can be moved from inside", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    co_await timeout_at(loop.now() + 1ms, [&](TimeoutScope& scope) -> Co<> {
      scope.reschedule(loop.now() + 1h);
      co_await sleep(1min);
      CHECK_FALSE(scope.expired());
    });
  });
}

TEST_CASE("W12: a foreign cancel that came before timeout(0) wins", "[async][timeout]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto task = loop.create_task([](Loop& l) -> Co<> {
      l.current_task()->cancel();
      co_await timeout(0s, []() -> Co<> { co_await sleep(1h); });
    }(loop));
    co_await sleep(1ms);
    CHECK(task.cancelled());
  });
}
