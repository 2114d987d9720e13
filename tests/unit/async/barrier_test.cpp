#include "core/async/sync/barrier.hpp"

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

// Its index, or "x" if the barrier broke, "c" if it was cancelled; and where it stands in `log`.
Co<> cross(Barrier& barrier, std::string& log) {
  bool cancelled = false;
  try {
    log += std::to_string(co_await barrier.wait());
  } catch (const BrokenBarrierError&) {
    log += "x";
  } catch (const Cancelled&) {
    log += "c";
    cancelled = true;
  }
  if (cancelled) throw Cancelled{};
}

std::vector<Task<>> arrive(Barrier& barrier, std::string& log, int count) {
  std::vector<Task<>> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back(create_task(cross(barrier, log)));
  return tasks;
}

Co<> passes(int count) {
  for (int i = 0; i < count; ++i) co_await yield();
}

}  // namespace

TEST_CASE("S10: the last to come releases all, and each has an index of its own", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(3);
    CHECK(barrier.parties() == 3);
    arrive(barrier, log, 2);
    co_await passes(2);
    CHECK(log.empty());
    CHECK(barrier.n_waiting() == 2);
    CHECK(co_await barrier.wait() == 2);
    CHECK(log.empty());
    co_await yield();
    CHECK(log == "01");
    CHECK(barrier.n_waiting() == 0);

    Barrier alone(1);
    CHECK(co_await alone.wait() == 0);
  });
  CHECK_THROWS_AS(Barrier(0), std::invalid_argument);
}

TEST_CASE("S10: those who come while a party is leaving wait, and belong to the next", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(2);
    arrive(barrier, log, 1);
    co_await yield();
    co_await barrier.wait();  // The first may go, and has not yet.
    const auto late = [&](char name) -> Co<> {
      log += name;
      co_await cross(barrier, log);
    };
    const Task<> one = create_task(late('a'));
    const Task<> two = create_task(late('b'));
    const Task<> three = create_task(late('c'));
    CHECK(barrier.n_waiting() == 0);
    co_await passes(4);
    CHECK(log == "0ab1c0");
    CHECK(barrier.n_waiting() == 1);
    co_await barrier.wait();
    co_await passes(2);
  });
  CHECK(log == "0ab1c00");
}

TEST_CASE("S10: latecomers that fill a party go together once the one before has left", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(2);
    std::vector<Task<>> tasks = arrive(barrier, log, 1);
    co_await yield();
    // Comes while the first is leaving: the leader's second wait, right after its first.
    tasks.push_back(create_task([](Barrier& at, std::string& text) -> Co<> {
      text += "L" + std::to_string(co_await at.wait());
      text += "L" + std::to_string(co_await at.wait());
    }(barrier, log)));
    for (const Task<>& task : arrive(barrier, log, 3)) tasks.push_back(task);
    for (const Task<>& task : tasks) co_await task;
  });
  CHECK(log == "L10L0101");
}

TEST_CASE("S11: cancelling one who waits only un-counts it", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(3);
    const std::vector<Task<>> tasks = arrive(barrier, log, 2);
    co_await yield();
    tasks[0].cancel();
    co_await yield();
    CHECK(barrier.n_waiting() == 1);
    CHECK_FALSE(barrier.broken());
    arrive(barrier, log, 2);
    co_await passes(3);
    CHECK(log == "c201");
    CHECK(tasks[0].cancelled());
  });
}

TEST_CASE("S11: one cancelled after its party was complete has left it all the same", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(2);
    const std::vector<Task<>> tasks = arrive(barrier, log, 1);
    co_await yield();
    co_await barrier.wait();
    tasks[0].cancel();
    arrive(barrier, log, 2);
    co_await passes(3);
  });
  CHECK(log == "c10");
}

TEST_CASE("S11: reset breaks those who wait or are leaving, and nobody who comes later", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(2);
    arrive(barrier, log, 1);
    co_await yield();
    barrier.reset();
    CHECK(barrier.n_waiting() == 0);
    CHECK_FALSE(barrier.broken());
    co_await yield();
    CHECK(log == "x");

    arrive(barrier, log, 1);
    co_await yield();
    co_await barrier.wait();
    barrier.reset();  // The other one may go, and has not yet.
    co_await yield();
    CHECK(log == "xx");

    arrive(barrier, log, 2);
    co_await passes(2);
    CHECK(log == "xx10");
  });
}

TEST_CASE("S11: abort breaks every wait until reset", "[async][sync]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    Barrier barrier(3);
    arrive(barrier, log, 2);
    co_await yield();
    barrier.abort();
    CHECK(barrier.broken());
    CHECK_THROWS_AS(co_await barrier.wait(), BrokenBarrierError);
    co_await yield();
    CHECK(log == "xx");
    barrier.reset();
    CHECK_FALSE(barrier.broken());
    arrive(barrier, log, 3);
    co_await passes(2);
    CHECK(log == "xx201");
  });
}
