#include "core/async/sync/condition.hpp"

#include "core/async/combine/timeout.hpp"
#include "core/async/loop/running.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

// "a" when it was woken, "(a)" when it was cancelled; either way it must hold the lock then.
Co<> note(Condition& condition, std::string& log, std::string name) {
  const auto guard = co_await condition.scoped();
  bool cancelled = false;
  try {
    co_await condition.wait();
  } catch (const Cancelled&) {
    cancelled = true;
  }
  CHECK(condition.locked());
  log += cancelled ? "(" + name + ")" : name;
  if (cancelled) throw Cancelled{};
}

Co<std::vector<Task<>>> start_notes(Condition& condition, std::string& log, std::string names) {
  std::vector<Task<>> tasks;
  for (const char name : names) tasks.push_back(create_task(note(condition, log, std::string(1, name))));
  co_await yield();
  co_return tasks;
}

Co<> notify(Condition& condition, std::size_t count) {
  const auto guard = co_await condition.scoped();
  condition.notify(count);
}

Co<> passes(int count) {
  for (int i = 0; i < count; ++i) co_await yield();
}

}  // namespace

TEST_CASE("S7: wait and notify take the lock, and wait leaves holding it, however often it is cancelled",
          "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Condition condition;
    CHECK_THROWS_AS(co_await condition.wait(), InvalidState);
    CHECK_THROWS_AS(condition.notify(), InvalidState);
    CHECK_THROWS_AS(condition.notify_all(), InvalidState);

    const std::vector<Task<>> waiters = co_await start_notes(condition, log, "ab");
    waiters[0].cancel();  // Nobody has the lock: it takes it at once.
    co_await yield();
    CHECK(log == "(a)");
    CHECK(waiters[0].cancelled());

    co_await condition.acquire();
    waiters[1].cancel();
    co_await passes(3);
    waiters[1].cancel();
    co_await passes(3);
    CHECK(log == "(a)");  // It can't leave without the lock.
    condition.release();
    co_await passes(2);
    CHECK(log == "(a)(b)");
    CHECK(waiters[1].cancelled());
    CHECK(waiters[1].cancelling() == 2);
    CHECK_FALSE(condition.locked());
  });
}

TEST_CASE("S7: what was cancelled while it waited ends as such, also if the request is taken back",
          "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Condition condition;
    const std::vector<Task<>> waiters = co_await start_notes(condition, log, "ab");
    co_await condition.acquire();
    condition.notify();
    for (const Task<>& waiter : waiters) {
      waiter.cancel();
      waiter.uncancel();
    }
    condition.release();
    co_await passes(4);
    CHECK(log == "(a)(b)");
  });
}

TEST_CASE("S7: conditions may share a lock, and a time limit leaves it held", "[async][sync]") {
  run_virtual([](Loop& loop) -> Co<> {
    Lock lock;
    Condition full(lock);
    Condition empty(lock);
    const auto guard = co_await full.scoped();
    CHECK(empty.locked());
    CHECK_THROWS_AS(co_await timeout(1ms, [&]() -> Co<> { co_await empty.wait(); }), TimeoutError);
    CHECK(lock.locked());
    CHECK(loop.now() == TimePoint(1ms));
  });
}

TEST_CASE("S8: a notified waiter that is cancelled passes the notification on", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Condition condition;
    std::vector<Task<>> waiters = co_await start_notes(condition, log, "abcd");
    co_await condition.acquire();
    condition.notify();
    waiters[0].cancel();  // Notified, and waits for the lock.
    condition.release();
    co_await passes(4);
    CHECK(log == "(a)b");

    co_await condition.acquire();
    condition.notify();
    condition.release();
    waiters[2].cancel();  // Notified, has the lock, and has not run yet.
    co_await passes(4);
    CHECK(log == "(a)b(c)d");
  });
}

TEST_CASE("S8: a cancelled waiter that was not notified takes nobody's notification", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Condition condition;
    const std::vector<Task<>> waiters = co_await start_notes(condition, log, "abc");
    co_await condition.acquire();
    waiters[0].cancel();
    condition.notify();
    condition.release();
    co_await passes(4);
    CHECK(log == "(a)b");
    waiters[2].cancel();
    co_await passes(2);
  });
}

TEST_CASE("S8: a waiter whose predicate throws passes the notification on", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Condition condition;
    const Task<> thrower = create_task([](Condition& on) -> Co<> {
      const auto guard = co_await on.scoped();
      int calls = 0;
      co_await on.wait_for([&] { return ++calls < 2 ? false : throw std::domain_error("predicate"); });
    }(condition));
    const std::vector<Task<>> waiters = co_await start_notes(condition, log, "a");
    co_await notify(condition, 1);
    co_await waiters[0];
    CHECK_THROWS_AS(co_await thrower, std::domain_error);
  });
  CHECK(log == "a");
}

TEST_CASE("S9: notify wakes so many who were not woken yet, first come, first served", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Condition condition;
    const std::vector<Task<>> waiters = co_await start_notes(condition, log, "abcdef");
    co_await condition.acquire();
    condition.notify();
    condition.notify(2);
    CHECK(log.empty());
    condition.release();
    co_await passes(4);
    CHECK(log == "abc");
    co_await notify(condition, 0);
    co_await passes(4);
    CHECK(log == "abc");
    co_await condition.acquire();
    condition.notify_all();
    condition.notify_all();
    condition.release();
    co_await passes(4);
  });
  CHECK(log == "abcdef");
}

TEST_CASE("S9: wait_for asks its predicate again after each notification, and gives its value",
          "[async][sync]") {
  run_virtual([](Loop&) -> Co<> {
    Condition condition;
    int value = 0;
    int calls = 0;
    const Task<int> waiter = create_task([](Condition& on, const int& wanted, int& asked) -> Co<int> {
      const auto guard = co_await on.scoped();
      co_return co_await on.wait_for([&] {
        ++asked;
        return wanted;
      });
    }(condition, value, calls));
    co_await yield();
    co_await notify(condition, 1);
    co_await passes(2);
    value = 7;
    co_await passes(2);
    CHECK(calls == 2);
    co_await notify(condition, 1);
    CHECK(co_await waiter == 7);
    CHECK(calls == 3);
  });
}
