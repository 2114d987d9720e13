#include "core/async/combine/gather.hpp"
#include "core/async/combine/timeout.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/sync/event.hpp"
#include "core/async/sync/lock.hpp"
#include "core/async/sync/semaphore.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

// Holds a lock or a permit for a millisecond.
template <class L>
Co<> note(L& wanted, std::string& log, char name) {
  const auto held = co_await wanted.scoped();
  log += name;
  co_await sleep(1ms);
}

// The names, in the order in which those who wait for `wanted` got it.
template <class L>
std::vector<Task<>> start_notes(L& wanted, std::string& log, const std::string& names) {
  std::vector<Task<>> tasks;
  for (const char name : names) tasks.push_back(create_task(note(wanted, log, name)));
  return tasks;
}

Co<> all(std::vector<Task<>> tasks) {
  for (const Task<>& task : tasks) co_await task;
}

}  // namespace

TEST_CASE("S1: a lock is FIFO, a free one is had without suspending, and one not held can't be released",
          "[async][sync]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    Lock lock;
    loop.call_soon([&] { log += "(another turn)"; });
    co_await lock.acquire();
    CHECK(log.empty());
    CHECK(lock.locked());
    const std::vector<Task<>> waiters = start_notes(lock, log, "abc");
    co_await yield();
    lock.release();  // Hands it to "a", which has not run yet.
    CHECK(lock.locked());
    co_await note(lock, log, 'd');
    co_await all(waiters);
    CHECK_FALSE(lock.locked());
    CHECK_THROWS_AS(lock.release(), InvalidState);
  });
  CHECK(log == "(another turn)abcd");
}

TEST_CASE("S2: a waiter cancelled before or after it was handed the lock strands nobody", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Lock lock;
    co_await lock.acquire();
    const std::vector<Task<>> waiters = start_notes(lock, log, "abcd");
    co_await yield();
    waiters[1].cancel();  // Waits still.
    lock.release();
    waiters[0].cancel();  // Has it, and has not run.
    co_await waiters[2];
    co_await waiters[3];
    CHECK(waiters[0].cancelled());
    CHECK(waiters[1].cancelled());
    CHECK_FALSE(lock.locked());
  });
  CHECK(log == "cd");
}

TEST_CASE("a guard that was moved gives back once", "[async][sync]") {
  run_virtual([](Loop&) -> Co<> {
    Lock lock;
    {
      auto guard = co_await lock.scoped();
      const Guard<Lock> taken_over = std::move(guard);
      CHECK(lock.locked());
    }
    CHECK_FALSE(lock.locked());
  });
}

TEST_CASE("S3: a semaphore is FIFO, and a newcomer can't overtake one who waits", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Semaphore semaphore(1);
    std::vector<Task<>> tasks = start_notes(semaphore, log, "abc");
    co_await sleep(1ms);  // "a" gives its permit to "b" in this pass, before this task goes on.
    tasks.push_back(create_task(note(semaphore, log, 'd')));
    co_await all(tasks);

    co_await semaphore.acquire();
    tasks = start_notes(semaphore, log, "ef");
    co_await yield();
    semaphore.release();
    semaphore.release();  // One more than there was: both are promised, none is free.
    CHECK(semaphore.locked());
    co_await note(semaphore, log, 'g');
    co_await all(tasks);
    CHECK(semaphore.available() == 2);
  });
  CHECK(log == "abcdefg");
}

TEST_CASE("the number of permits is never exceeded", "[async][sync]") {
  run_virtual([](Loop&) -> Co<> {
    Semaphore semaphore(3);
    int inside = 0;
    int most = 0;
    std::vector<Co<>> bodies;
    for (int i = 0; i < 50; ++i)
      bodies.push_back([](Semaphore& s, int& now, int& peak, int n) -> Co<> {
        auto permit = co_await s.scoped();
        peak = std::max(peak, ++now);
        co_await sleep(std::chrono::milliseconds(n % 7));
        --now;
      }(semaphore, inside, most, i));
    co_await gather::async::gather(std::move(bodies));
    CHECK(most == 3);
    CHECK(semaphore.available() == 3);
  });
}

TEST_CASE("S4: a waiter cancelled after its grant gives the permit to the next", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Semaphore semaphore(0);
    const std::vector<Task<>> waiters = start_notes(semaphore, log, "abcd");
    co_await yield();
    semaphore.release();  // Grants to the first two, which have not run yet…
    semaphore.release();
    waiters[0].cancel();  // …and are cancelled: the permits must reach the others.
    waiters[1].cancel();
    co_await yield();
    co_await yield();
    CHECK(log == "cd");
    co_await waiters[2];
    co_await waiters[3];
    CHECK(waiters[0].cancelled());
    CHECK(semaphore.available() == 2);
  });
}

TEST_CASE("S5: a bounded semaphore refuses a release too many; no semaphore starts below 0",
          "[async][sync]") {
  run_virtual([](Loop&) -> Co<> {
    BoundedSemaphore bounded(1);
    CHECK_THROWS_AS(bounded.release(), InvalidState);
    {
      const auto permit = co_await bounded.scoped();
    }
    co_await bounded.acquire();
    bounded.release();
    CHECK_THROWS_AS(bounded.release(), InvalidState);
    CHECK(bounded.available() == 1);
  });
  CHECK_THROWS_AS(Semaphore(-1), std::invalid_argument);
  CHECK_THROWS_AS(BoundedSemaphore(-1), std::invalid_argument);
  Semaphore free(1);
  free.release();
  CHECK(free.available() == 2);
}

TEST_CASE("S6: set wakes all who wait, also when clear follows before they run", "[async][sync]") {
  int woken = 0;
  run_virtual([&](Loop& loop) -> Co<> {
    Event event;
    for (int i = 0; i < 3; ++i)
      loop.create_task([](Event& e, int& count) -> Co<> {
        co_await e.wait();
        ++count;
      }(event, woken));
    co_await yield();
    event.set();
    event.clear();
    co_await yield();
    co_await yield();
  });
  CHECK(woken == 3);
}
