#include "core/async/io/signal.hpp"

#include "core/async/io/child.hpp"
#include "core/async/io/signal_handler.hpp"
#include "core/async/loop/running.hpp"
#include "core/async/loop/watch.hpp"
#include "tests/unit/async/loopback.hpp"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>
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

TEST_CASE("R1: add_signal_handler runs the callback on the loop; remove tells whether one was set",
          "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Event come;
    add_signal_handler(loop, SIGUSR1, [&] { come.set(); });
    raise(SIGUSR1);
    CHECK(!come.is_set());
    co_await come.wait();
    CHECK(remove_signal_handler(loop, SIGUSR1));
    CHECK(!remove_signal_handler(loop, SIGUSR1));
    CHECK(!remove_signal_handler(loop, SIGKILL));
    CHECK(disposition(SIGUSR1) == SIG_DFL);
  });
}

TEST_CASE("R1: a second handler takes the place of the first, also from inside it", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    std::string log;
    Event come;
    add_signal_handler(loop, SIGUSR1, [&] { log += "never "; });
    add_signal_handler(loop, SIGUSR1, [&] {
      add_signal_handler(loop, SIGUSR1, [&] {
        log += "third";
        come.set();
      });
      log += "second ";
      come.set();
    });
    for (int i = 0; i < 2; ++i) {
      raise(SIGUSR1);
      co_await come.wait();
      come.clear();
    }
    CHECK(log == "second third");
  });
}

TEST_CASE("R1: handlers for KILL, STOP and unknown numbers are errors", "[async][signal]") {
  Loop loop;
  for (const int number : {SIGKILL, SIGSTOP, 0, -1, 4711})
    CHECK_THROWS_AS(add_signal_handler(loop, number, [] {}), std::invalid_argument);
  for (const int number : {0, -1, 4711})
    CHECK_THROWS_AS(remove_signal_handler(loop, number), std::invalid_argument);
}

TEST_CASE("R1: what a handler throws goes to the exception handler, and it stays", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Event complained;
    loop.set_exception_handler([&](const Complaint&) { complained.set(); });
    add_signal_handler(loop, SIGUSR1, [] { throw std::runtime_error("no luck"); });
    for (int i = 0; i < 2; ++i) {
      raise(SIGUSR1);
      co_await complained.wait();
      complained.clear();
    }
    loop.set_exception_handler({});
    CHECK(remove_signal_handler(loop, SIGUSR1));
  });
}

TEST_CASE("R1: a loop that closes takes its handlers along", "[async][signal]") {
  {
    Loop loop;
    add_signal_handler(loop, SIGUSR1, [] {});
    CHECK(disposition(SIGUSR1) != SIG_DFL);
  }
  CHECK(disposition(SIGUSR1) == SIG_DFL);
}

TEST_CASE("R1: children do not inherit handling", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    bool called = false;
    add_signal_handler(loop, SIGTERM, [&] { called = true; });
    const auto child = start_child({{"/bin/sh", "-c", "kill -TERM $$; exit 3"}});
    REQUIRE(child);
    co_await Readable(child->pidfd);
    int status = 0;
    CHECK(waitpid(child->pid, &status, 0) == child->pid);
    close(child->pidfd);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGTERM);
    CHECK(!called);
    remove_signal_handler(loop, SIGTERM);
  });
}

TEST_CASE("R1: a copy of the process by fork has the default action, and does not tell its parent's loop",
          "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    bool called = false;
    add_signal_handler(loop, SIGUSR1, [&] { called = true; });
    const pid_t child = fork();
    if (child == 0) {
      raise(SIGUSR1);
      _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    for (int i = 0; i < 5; ++i) co_await yield();
    CHECK(!called);
  });
}

TEST_CASE("R1: wait_for_signal gives the one that came", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    loop.call_soon([] { raise(SIGUSR2); });
    CHECK(co_await wait_for_signal({SIGUSR1, SIGUSR2}) == SIGUSR2);
    CHECK(disposition(SIGUSR1) == SIG_DFL);
    CHECK_THROWS_AS(co_await wait_for_signal({SIGKILL}), std::invalid_argument);
    const auto too_long = []() -> Co<> { co_await wait_for_signal({SIGUSR1}); };
    CHECK_THROWS_AS(co_await timeout(1ms, too_long), TimeoutError);
    CHECK(disposition(SIGUSR1) == SIG_DFL);
  });
}

TEST_CASE("R1: a stream of signals gives each number once, in order, also those from before the wait",
          "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Signals signals(loop, {SIGUSR1, SIGUSR2});
    Event come;
    const SignalWatch last(loop, SIGWINCH, [&](int) { come.set(); });
    raise(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR2);
    raise(SIGWINCH);
    co_await come.wait();
    co_await yield();
    CHECK(co_await signals.next() == SIGUSR1);
    CHECK(co_await signals.next() == SIGUSR2);
    raise(SIGUSR1);
    CHECK(co_await signals.next() == SIGUSR1);
  });
}

TEST_CASE("R1: a waiter that is cancelled leaves its signal to the next", "[async][signal]") {
  run_real([](Loop& loop) -> Co<> {
    Signals signals(loop, {SIGUSR1});
    const auto wait = [&signals]() -> Co<int> { co_return co_await signals.next(); };
    const Task<int> first = loop.create_task(wait());
    const Task<int> second = loop.create_task(wait());
    const Task<int> third = loop.create_task(wait());
    co_await yield();
    third.cancel();
    // The watch was made first, so the waiter has been woken by now, and has not run.
    const SignalWatch watch(loop, SIGUSR1, [&](int) { first.cancel(); });
    raise(SIGUSR1);
    CHECK(co_await second == SIGUSR1);
    CHECK(first.cancelled());
    CHECK(third.cancelled());
  });
}
