// A program of its own, as it replaces the global operator new to count.
#include "core/async/loop/running.hpp"
#include "core/async/sync/barrier.hpp"
#include "core/async/sync/condition.hpp"
#include "core/async/sync/event.hpp"
#include "core/async/sync/lock.hpp"
#include "core/async/sync/queue.hpp"
#include "core/async/sync/semaphore.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

std::size_t allocations = 0;  // Of this thread, the only one.

void* counted(std::size_t size) {
  ++allocations;
  if (void* const piece = std::malloc(size)) return piece;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
// Those that don't throw too: else a sanitizer's would allocate what is freed below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* piece) noexcept { std::free(piece); }
void operator delete[](void* piece) noexcept { std::free(piece); }
void operator delete(void* piece, std::size_t) noexcept { std::free(piece); }
void operator delete[](void* piece, std::size_t) noexcept { std::free(piece); }

namespace {

// What `rounds(1000)` allocates once `rounds(20)` has grown what grows: rings, the timers. The
// coroutine's own frame does not count.
template <class Rounds>
Co<std::size_t> count(Rounds rounds) {
  co_await rounds(20);
  Co<> measured = rounds(1000);
  const std::size_t before = allocations;
  co_await std::move(measured);
  co_return allocations - before;
}

template <class Rounds>
std::size_t allocations_of(Rounds rounds) {
  return run_virtual([&](Loop&) -> Co<std::size_t> { co_return co_await count(rounds); });
}

// The same beside a task that runs `partner()`, which never ends by itself.
template <class Partner, class Rounds>
std::size_t allocations_of(Partner partner, Rounds rounds) {
  return run_virtual([&](Loop& loop) -> Co<std::size_t> {
    loop.create_task(partner());
    co_return co_await count(rounds);
  });
}

}  // namespace

TEST_CASE("the count sees what is allocated", "[async][allocation]") {
  CHECK(allocations_of([](int rounds) -> Co<> {
          for (int i = 0; i < rounds; ++i)
            ::operator delete(::operator new(4));  // A new expression may be left out.
          co_return;
        }) == 1000);
}

TEST_CASE("an uncontended lock, semaphore, event or barrier allocates nothing", "[async][allocation]") {
  Lock lock;
  BoundedSemaphore semaphore(2);
  Event event;
  Barrier barrier(1);
  CHECK(allocations_of([&](int rounds) -> Co<> {
          for (int i = 0; i < rounds; ++i) {
            co_await lock.acquire();
            lock.release();
            const auto guard = co_await lock.scoped();
            co_await semaphore.acquire();
            semaphore.release();
            const auto permit = co_await semaphore.scoped();
            event.set();
            co_await event.wait();
            event.clear();
            co_await barrier.wait();
          }
        }) == 0);
}

TEST_CASE("a condition notified without and with somebody waiting allocates nothing", "[async][allocation]") {
  Condition condition;
  int turn = 0;
  CHECK(allocations_of(
            [&]() -> Co<> {
              const auto guard = co_await condition.scoped();
              for (;;) {
                co_await condition.wait();
                ++turn;
                condition.notify();
              }
            },
            [&](int rounds) -> Co<> {
              co_await yield();
              for (int i = 0; i < rounds; ++i) {
                const auto guard = co_await condition.scoped();
                condition.notify();
                const int before = turn;
                while (turn == before) co_await condition.wait();
              }
            }) == 0);
}

TEST_CASE("put and get allocate nothing once the queue has been as full before", "[async][allocation]") {
  Queue<int> fifo(4);
  LifoQueue<int> lifo;
  PriorityQueue<int> least;
  const auto fill_and_empty = [](auto& queue) {
    return allocations_of([&](int rounds) -> Co<> {
      for (int i = 0; i < rounds; ++i) {
        for (int item = 0; item < 3; ++item) co_await queue.put(item);
        queue.put_nowait(3);
        for (int item = 0; item < 3; ++item) co_await queue.get();
        queue.get_nowait();
        for (int item = 0; item < 4; ++item) queue.task_done();
        co_await queue.join();
      }
    });
  };
  CHECK(fill_and_empty(fifo) == 0);
  CHECK(fill_and_empty(lifo) == 0);
  CHECK(fill_and_empty(least) == 0);
}

TEST_CASE("waiting for a queue allocates nothing either", "[async][allocation]") {
  Queue<int> requests(1);
  Queue<int> answers(1);
  CHECK(allocations_of(
            [&]() -> Co<> {
              for (;;) co_await answers.put(co_await requests.get());
            },
            [&](int rounds) -> Co<> {
              for (int i = 0; i < rounds; ++i) {
                co_await requests.put(1);
                co_await requests.put(2);  // Waits for room…
                co_await answers.get();    // …and for an item.
                co_await answers.get();
              }
            }) == 0);
}

TEST_CASE("sleep and yield allocate nothing, in virtual and in real time", "[async][allocation]") {
  const auto nap = [](int rounds) -> Co<> {
    for (int i = 0; i < rounds; ++i) {
      co_await sleep(1us);
      co_await yield();
    }
  };
  CHECK(allocations_of(nap) == 0);
  Loop loop;
  CHECK(loop.run(count(nap)) == 0);
}
