#include "core/async/io/signal.hpp"

#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_real;

namespace {

using Action = void (*)(int);

Action disposition(int number) {
  struct sigaction action{};
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

}  // namespace

TEST_CASE("R1: a signal's callback runs on the loop, between the steps of tasks", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Event come;
    std::vector<int> numbers;
    const SignalWatch watch(loop, SIGUSR1, [&](int number) {
      CHECK(loop.current_task() == nullptr);
      numbers.push_back(number);
      come.set();
    });
    raise(SIGUSR1);
    CHECK(numbers.empty());  // The handler itself only makes a note.
    co_await come.wait();
    CHECK(numbers == std::vector{SIGUSR1});
  });
}

TEST_CASE("R1: it is called each time, and by a kill from outside too", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Event come;
    int count = 0;
    const SignalWatch watch(loop, SIGUSR2, [&](int) {
      ++count;
      come.set();
    });
    for (int i = 1; i <= 3; ++i) {
      kill(getpid(), SIGUSR2);
      co_await come.wait();
      come.clear();
      CHECK(count == i);
    }
  });
}

TEST_CASE("R1: every watch of a number hears of it; the last one to go leaves the default action",
          "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    std::string log;
    Event come;
    auto first = std::make_unique<SignalWatch>(loop, SIGUSR1, [&](int) { log += 'a'; });
    auto second = std::make_unique<SignalWatch>(loop, SIGUSR1, [&](int) { log += 'b'; });
    auto third = std::make_unique<SignalWatch>(loop, SIGUSR1, [&](int) { come.set(); });
    raise(SIGUSR1);
    co_await come.wait();
    while (log.size() < 2) co_await yield();
    CHECK((log == "ab" || log == "ba"));
    first.reset();
    second.reset();
    CHECK(disposition(SIGUSR1) != SIG_DFL);
    third.reset();
    CHECK(disposition(SIGUSR1) == SIG_DFL);
  });
}

TEST_CASE("R1: a signal inherited as ignored is heard all the same", "[async][signal]") {
  signal(SIGUSR1, SIG_IGN);
  run_real([](Loop& loop) -> Co<> {
    Event come;
    const SignalWatch watch(loop, SIGUSR1, [&](int) { come.set(); });
    raise(SIGUSR1);
    co_await come.wait();
    CHECK(come.is_set());
  });
}

TEST_CASE("R1: after its death a watch is silent, also if the signal came before", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    int calls = 0;
    Event come;
    const SignalWatch other(loop, SIGUSR1, [&](int) { come.set(); });
    std::optional<SignalWatch> watch;
    watch.emplace(loop, SIGUSR1, [&](int) { ++calls; });
    raise(SIGUSR1);
    watch.reset();
    co_await come.wait();
    co_await yield();
    CHECK(calls == 0);
  });
}

TEST_CASE("R1: a callback may destroy its own watch", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Event gone;
    std::optional<SignalWatch> watch;
    watch.emplace(loop, SIGUSR1, [&](int) {
      watch.reset();
      gone.set();
    });
    raise(SIGUSR1);
    co_await gone.wait();
    CHECK(disposition(SIGUSR1) == SIG_DFL);
  });
}

TEST_CASE("R1: KILL, STOP, CHLD and numbers that are no signal are refused", "[async][signal]") {
  Loop loop;
  for (const int number : {SIGKILL, SIGSTOP, SIGCHLD, SIGSEGV, 0, -1, 32, 4711})
    CHECK_THROWS_AS(SignalWatch(loop, number, [](int) {}), std::invalid_argument);
}
