#include "core/async/sync/sync.hpp"

#include "core/async/combine/gather.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

Co<> note(Semaphore& semaphore, std::string& log, char name) {
  auto permit = co_await semaphore.scoped();
  log += name;
  co_await sleep(1ms);
}

}  // namespace

TEST_CASE("S3: a semaphore is FIFO, and a newcomer can't overtake one who waits", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    Semaphore semaphore(1);
    std::vector<Task<>> tasks;
    for (const char c : {'a', 'b', 'c'}) tasks.push_back(loop.create_task(note(semaphore, log, c)));
    co_await sleep(1ms);  // "a" gives its permit to "b" in this pass, before this task goes on.
    tasks.push_back(loop.create_task(note(semaphore, log, 'd')));
    for (const auto& task : tasks) co_await task;
  });
  CHECK(log == "abcd");
}

TEST_CASE("S3: the number of permits is never exceeded", "[async][sync]") {
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

TEST_CASE("S4, T9: a waiter cancelled after its grant gives the permit to the next", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    Semaphore semaphore(1);
    co_await semaphore.acquire();
    auto first = loop.create_task(note(semaphore, log, 'a'));
    auto second = loop.create_task(note(semaphore, log, 'b'));
    co_await yield();
    semaphore.release();  // Grants to the first, which has not run yet…
    first.cancel();       // …and is cancelled: the permit must reach the second.
    co_await second;
    CHECK(first.cancelled());
    CHECK(semaphore.available() == 1);
  });
  CHECK(log == "b");
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
