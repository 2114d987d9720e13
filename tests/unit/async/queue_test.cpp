#include "core/async/sync/queue.hpp"

#include "core/async/loop/running.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<> passes(int count) {
  for (int i = 0; i < count; ++i) co_await yield();
}

template <class Q>
Co<> get_into(Q& queue, std::string& log, std::string name = {}) {
  try {
    log += name + std::to_string(co_await queue.get()) + " ";
  } catch (const QueueShutDown&) {
    log += name + "shut ";
  }
}

template <class Q>
Co<> put_noting(Q& queue, std::string& log, int item) {
  try {
    co_await queue.put(item);
    log += "+" + std::to_string(item) + " ";
  } catch (const QueueShutDown&) {
    log += "refused " + std::to_string(item) + " ";
  }
}

template <class Q>
std::string drained(Q& queue) {
  std::string items;
  while (!queue.empty()) items += std::to_string(queue.get_nowait()) + " ";
  return items;
}

struct ByLastDigit {
  int base = 10;
  bool operator()(int a, int b) const { return a % base < b % base; }
};

}  // namespace

TEST_CASE("Q1: first in first out, last in first out, or the least first", "[async][queue]") {
  run_virtual([](Loop&) -> Co<> {
    Queue<int> fifo;
    LifoQueue<int> lifo;
    PriorityQueue<int> least;
    for (const int item : {3, 1, 2, 5, 4}) {
      co_await fifo.put(item);
      co_await lifo.put(item);
      co_await least.put(item);
    }
    CHECK(fifo.qsize() == 5);
    CHECK(drained(fifo) == "3 1 2 5 4 ");
    CHECK(drained(lifo) == "4 5 2 1 3 ");
    CHECK(drained(least) == "1 2 3 4 5 ");
  });
}

TEST_CASE("Q1: a priority queue takes any comparator, and equals come out as they went in",
          "[async][queue]") {
  PriorityQueue<int, ByLastDigit> queue(0, ByLastDigit(100));
  for (const int item : {302, 101, 202, 201, 102, 301}) queue.put_nowait(item);
  CHECK(drained(queue) == "101 201 301 302 202 102 ");
}

TEST_CASE("Q1: a queue of limited size is full then; without a limit it never is; nowait never waits",
          "[async][queue]") {
  Queue<int> two(2);
  CHECK(two.maxsize() == 2);
  CHECK(two.empty());
  CHECK_THROWS_AS(two.get_nowait(), QueueEmpty);
  two.put_nowait(1);
  CHECK_FALSE(two.full());
  two.put_nowait(2);
  CHECK(two.full());
  CHECK_THROWS_AS(two.put_nowait(3), QueueFull);
  CHECK(drained(two) == "1 2 ");

  Queue<int> unlimited(-1);
  for (int i = 0; i < 1000; ++i) unlimited.put_nowait(i);
  CHECK_FALSE(unlimited.full());
}

TEST_CASE("Q1: items may be move-only, and what is refused stays with the caller", "[async][queue]") {
  run_virtual([](Loop&) -> Co<> {
    Queue<std::unique_ptr<int>> queue(1);
    co_await queue.put(std::make_unique<int>(1));
    auto item = std::make_unique<int>(2);
    CHECK_THROWS_AS(queue.put_nowait(std::move(item)), QueueFull);
    REQUIRE(item);
    const Task<> putter =
        create_task([](Queue<std::unique_ptr<int>>& into, std::unique_ptr<int> what) -> Co<> {
          co_await into.put(std::move(what));
        }(queue, std::move(item)));
    co_await yield();
    CHECK(*co_await queue.get() == 1);
    CHECK(*co_await queue.get() == 2);
    co_await putter;
  });
}

TEST_CASE("Q1: a ring grows and wraps without losing order", "[async][queue]") {
  Queue<std::string> queue;
  int put = 0;
  int got = 0;
  for (int round = 1; round <= 40; ++round) {
    for (int i = 0; i < round; ++i) queue.put_nowait(std::to_string(put++));
    for (int i = 0; i < round - round / 4; ++i) REQUIRE(queue.get_nowait() == std::to_string(got++));
  }
  while (!queue.empty()) REQUIRE(queue.get_nowait() == std::to_string(got++));
  CHECK(got == put);
}

TEST_CASE("Q2: a cancelled getter neither loses its item nor strands the next, and order is kept",
          "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> queue;
    std::vector<Task<>> getters;
    for (const char* name : {"a", "b", "c", "d"}) getters.push_back(create_task(get_into(queue, log, name)));
    co_await yield();
    getters[1].cancel();  // Waits still.
    queue.put_nowait(1);
    queue.put_nowait(2);
    getters[0].cancel();  // Was promised an item, and has not run.
    co_await passes(3);
    CHECK(log == "c1 d2 ");
    queue.put_nowait(3);
    CHECK(queue.get_nowait() == 3);
  });
}

TEST_CASE("Q2: a cancelled putter has put nothing in, and the next one has its room", "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> queue(1);
    queue.put_nowait(0);
    std::vector<Task<>> putters;
    for (const int item : {1, 2, 3}) putters.push_back(create_task(put_noting(queue, log, item)));
    co_await yield();
    putters[1].cancel();  // Waits still.
    CHECK(queue.get_nowait() == 0);
    putters[0].cancel();  // Was promised the room, and has not run.
    co_await passes(3);
    CHECK(log == "+3 ");
    CHECK(drained(queue) == "3 ");
  });
}

TEST_CASE("Q2: many cancelled getters leave nothing behind", "[async][queue]") {
  run_virtual([](Loop&) -> Co<> {
    Queue<int> queue;
    std::string log;
    std::vector<Task<>> getters;
    for (int i = 0; i < 10; ++i) getters.push_back(create_task(get_into(queue, log)));
    co_await yield();
    for (const Task<>& getter : getters) getter.cancel();
    queue.put_nowait(1);
    queue.put_nowait(2);
    co_await passes(2);
    CHECK(log.empty());
    CHECK(drained(queue) == "1 2 ");
  });
}

TEST_CASE("Q3: nobody overtakes a putter or a getter that waits or was woken", "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> queue(1);
    const Task<> first = create_task(get_into(queue, log, "first "));
    co_await yield();
    queue.put_nowait(1);  // Promised to `first`, which has not run yet.
    CHECK(queue.empty());
    CHECK(queue.qsize() == 0);
    CHECK_THROWS_AS(queue.get_nowait(), QueueEmpty);
    CHECK(queue.full());  // It is there until then.
    const Task<> second = create_task(get_into(queue, log, "second "));
    co_await first;

    queue.put_nowait(2);
    co_await second;
    queue.put_nowait(3);
    const Task<> parked = create_task(put_noting(queue, log, 4));
    co_await yield();
    CHECK(queue.get_nowait() == 3);
    CHECK(queue.full());  // The room is promised to `parked`.
    CHECK_THROWS_AS(queue.put_nowait(5), QueueFull);
    const Task<> late = create_task(put_noting(queue, log, 5));
    co_await parked;
    CHECK(co_await queue.get() == 4);
    CHECK(co_await queue.get() == 5);
    co_await late;
  });
  CHECK(log == "first 1 second 2 +4 +5 ");
}

TEST_CASE("Q3: a woken getter of a priority queue gets the least of what is there when it runs",
          "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    PriorityQueue<int> queue;
    const Task<> getter = create_task(get_into(queue, log));
    co_await yield();
    queue.put_nowait(2);
    queue.put_nowait(1);
    co_await getter;
    CHECK(drained(queue) == "2 ");
  });
  CHECK(log == "1 ");
}

TEST_CASE("Q4: join returns once every item is done, at once if there is none; done too often is an error",
          "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> queue;
    co_await queue.join();
    CHECK_THROWS_AS(queue.task_done(), InvalidState);
    queue.put_nowait(1);
    queue.put_nowait(2);
    const Task<> joiner = create_task([](Queue<int>& on, std::string& text) -> Co<> {
      co_await on.join();
      text += "joined";
    }(queue, log));
    co_await yield();
    drained(queue);
    queue.task_done();
    co_await passes(2);
    CHECK(log.empty());
    queue.task_done();
    queue.put_nowait(3);  // Comes after everything was done: the joiner does not wait for it.
    co_await joiner;
    CHECK(log == "joined");
    queue.task_done();
    CHECK_THROWS_AS(queue.task_done(), InvalidState);
  });
}

TEST_CASE("Q5: after shutdown puts fail, gets fail once the queue is empty, and all who wait are told",
          "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> empty;
    create_task(get_into(empty, log));
    Queue<int> full(1);
    full.put_nowait(1);
    create_task(put_noting(full, log, 2));
    co_await yield();
    empty.shutdown();
    full.shutdown();
    co_await yield();
    CHECK(log == "shut refused 2 ");

    CHECK_THROWS_AS(empty.get_nowait(), QueueShutDown);
    CHECK_THROWS_AS(co_await empty.get(), QueueShutDown);
    CHECK_THROWS_AS(full.put_nowait(3), QueueShutDown);
    CHECK_THROWS_AS(co_await full.put(3), QueueShutDown);
    CHECK(co_await full.get() == 1);
    CHECK_THROWS_AS(co_await full.get(), QueueShutDown);
    full.task_done();
    co_await full.join();
  });
}

TEST_CASE("Q5: what was promised before a shutdown is kept for a getter, and no longer for a putter",
          "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> queue(1);
    const std::vector<Task<>> getters{create_task(get_into(queue, log, "a")),
                                      create_task(get_into(queue, log, "b"))};
    co_await yield();
    queue.put_nowait(1);
    queue.shutdown();
    getters[0].cancel();  // Its item goes to one who was told of the shutdown, and runs after it.
    co_await passes(2);
    CHECK(log == "b1 ");

    Queue<int> full(1);
    full.put_nowait(1);
    create_task(put_noting(full, log, 2));
    co_await yield();
    full.get_nowait();
    full.shutdown();
    co_await yield();
    CHECK(log == "b1 refused 2 ");
  });
}

TEST_CASE("Q5: an immediate shutdown drops the items and lets join finish", "[async][queue]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Queue<int> queue;
    const Task<> getter = create_task(get_into(queue, log));
    co_await yield();
    queue.put_nowait(1);  // Promised to the getter.
    queue.put_nowait(2);
    queue.put_nowait(3);
    const Task<> joiner = create_task([](Queue<int>& on) -> Co<> { co_await on.join(); }(queue));
    queue.get_nowait();
    queue.shutdown(true);
    co_await passes(2);
    CHECK(log == "shut ");
    CHECK_FALSE(joiner.done());  // The one that was taken is not done yet.
    queue.task_done();
    co_await joiner;
    CHECK(queue.empty());
    CHECK(queue.qsize() == 0);
  });
}
