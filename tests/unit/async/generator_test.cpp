#include "core/async/task/generator.hpp"

#include "core/async/combine/cleanup.hpp"
#include "core/async/loop/running.hpp"
#include "tests/unit/async/virtual_run.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace gather::async;
using gather::test::run_virtual;

namespace {

AsyncGenerator<int> count_to(int last, gather::Duration pause = 1ms) {
  for (int i = 1; i <= last; ++i) {
    co_await sleep(pause);
    co_yield i;
  }
}

// Yields 1, 2, 3, and writes what happened to it; its cleanup takes 5 ms.
AsyncGenerator<int> noted(std::string& log) {
  log += "start ";
  std::exception_ptr error;
  try {
    co_yield 1;
    co_yield 2;
    co_yield 3;
  } catch (const GeneratorExit&) {
    log += "closed ";
    error = std::current_exception();
  } catch (const Cancelled&) {
    log += "cancelled ";
    error = std::current_exception();
  } catch (const std::exception& exception) {
    log += exception.what() + std::string(" ");
    error = std::current_exception();
  }
  co_await sleep(5ms);
  log += "cleaned ";
  if (error) std::rethrow_exception(error);
}

AsyncGenerator<int> fail_after_one() {
  co_yield 1;
  throw std::runtime_error("failed");
}

struct Flag {
  explicit Flag(bool& it) : destroyed(it) {}
  ~Flag() { destroyed = true; }
  bool& destroyed;
};

AsyncGenerator<int> hold(bool& destroyed) {
  const Flag flag(destroyed);
  for (int i = 0;; ++i) co_yield i;
}

}  // namespace

TEST_CASE("a generator gives its values one by one, then nothing", "[async][generator]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto numbers = count_to(2);
    CHECK(co_await numbers.next() == 1);
    CHECK(loop.now() == TimePoint(1ms));
    CHECK(co_await numbers.next() == 2);
    CHECK_FALSE(numbers.done());
    CHECK(co_await numbers.next() == std::nullopt);
    CHECK(numbers.done());
    CHECK(co_await numbers.next() == std::nullopt);
  });
}

TEST_CASE("a generator does nothing until it is asked", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    auto values = noted(log);
    co_await yield();
    CHECK(log == "");
    co_await values.next();
    CHECK(log == "start ");
    co_await values.aclose();
  });
}

TEST_CASE("a generator gives values that can only be moved", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto pointers = []() -> AsyncGenerator<std::unique_ptr<int>> { co_yield std::make_unique<int>(7); }();
    auto pointer = co_await pointers.next();
    CHECK(**pointer == 7);
    co_await pointers.aclose();
  });
}

TEST_CASE("a generator of generators runs by symmetric transfer, a million values deep in no stack",
          "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto inner = []() -> AsyncGenerator<int> {
      for (int i = 0; i < 1'000'000; ++i) co_yield i;
    };
    auto outer = [](AsyncGenerator<int> source) -> AsyncGenerator<int> {
      while (auto item = co_await source.next()) co_yield *item + 1;
    }(inner());
    long long sum = 0;
    while (auto item = co_await outer.next()) sum += *item;
    CHECK(sum == 500'000'500'000);
  });
}

TEST_CASE("what a generator throws leaves next(), once, and then it has ended", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto values = fail_after_one();
    co_await values.next();
    CHECK_THROWS_WITH(co_await values.next(), "failed");
    CHECK(values.done());
    CHECK(co_await values.next() == std::nullopt);
  });
}

TEST_CASE("the current task inside of a generator is the one that asks", "[async][generator]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto names = []() -> AsyncGenerator<std::string> {
      for (;;) co_yield current_task().name();
    }();
    CHECK(co_await names.next() == "main");
    auto other = loop.create_task(
        [](AsyncGenerator<std::string>& its) -> Co<std::string> { co_return *co_await its.next(); }(names),
        "other");
    CHECK(co_await other == "other");
    co_await names.aclose();
  });
}

TEST_CASE("a cancel arrives where the generator is parked, and ends it", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task([](std::string& text) -> Co<> {
      auto slow = [](std::string& notes) -> AsyncGenerator<int> {
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
          notes += "cancelled ";
          throw;
        }
        co_yield 1;
      }(text);
      co_await slow.next();
    }(log));
    co_await sleep(1ms);
    task.cancel();
    co_await sleep(1ms);
    CHECK(task.cancelled());
  });
  CHECK(log == "cancelled ");
}

TEST_CASE("aclose ends a generator at its yield and waits for its cleanup", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto values = noted(log);
    co_await values.next();
    co_await values.aclose();
    CHECK(loop.now() == TimePoint(5ms));
    CHECK(log == "start closed cleaned ");
    CHECK(co_await values.next() == std::nullopt);
    co_await values.aclose();
  });
  CHECK(log == "start closed cleaned ");
}

TEST_CASE("aclose of a generator that has not started ends it unrun", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    auto values = noted(log);
    co_await values.aclose();
    CHECK(values.done());
    CHECK(co_await values.next() == std::nullopt);
  });
  CHECK(log == "");
}

TEST_CASE("a generator that swallows the exit and returns is closed", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto values = []() -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
      }
    }();
    co_await values.next();
    co_await values.aclose();
    CHECK(values.done());
  });
}

TEST_CASE("a generator that yields while it is closed is an error, and still there", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto values = []() -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
      }
      co_yield 2;
      co_yield 3;
    }();
    co_await values.next();
    CHECK_THROWS_AS(co_await values.aclose(), InvalidState);
    CHECK(co_await values.next() == 3);
    co_await values.aclose();
  });
}

TEST_CASE("what the cleanup of a generator throws leaves aclose", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto values = []() -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const GeneratorExit&) {
        throw std::domain_error("in cleanup");
      }
    }();
    co_await values.next();
    CHECK_THROWS_AS(co_await values.aclose(), std::domain_error);
    CHECK(values.done());
  });
}

TEST_CASE("athrow throws at the yield, and gives the value that is yielded next", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto values = []() -> AsyncGenerator<int> {
      try {
        co_yield 1;
      } catch (const std::domain_error&) {
      }
      co_yield 2;
    }();
    co_await values.next();
    CHECK(co_await values.athrow(std::domain_error("try this")) == 2);
    CHECK_THROWS_WITH(co_await values.athrow(std::runtime_error("and this")), "and this");
    CHECK(values.done());
    CHECK(co_await values.athrow(std::runtime_error("too late")) == std::nullopt);
  });
}

TEST_CASE("athrow at a generator that has not started ends it unrun", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    auto values = noted(log);
    CHECK_THROWS_WITH(co_await values.athrow(std::runtime_error("early")), "early");
    CHECK(co_await values.next() == std::nullopt);
  });
  CHECK(log == "");
}

TEST_CASE("asend is what the yield gives, and next gives it nothing", "[async][generator]") {
  run_virtual([](Loop&) -> Co<> {
    auto sums = []() -> AsyncGenerator<int, int> {
      int sum = 0;
      for (;;) sum += (co_yield sum).value_or(100);
    }();
    CHECK_THROWS_AS(co_await sums.asend(1), InvalidState);
    CHECK(co_await sums.next() == 0);
    CHECK(co_await sums.asend(5) == 5);
    CHECK(co_await sums.asend(6) == 11);
    CHECK(co_await sums.next() == 111);
    co_await sums.aclose();
    CHECK(co_await sums.asend(1) == std::nullopt);
  });
}

TEST_CASE("a step of a generator while another is under way is an error, also from inside",
          "[async][generator]") {
  run_virtual([](Loop& loop) -> Co<> {
    auto numbers = count_to(1);
    auto first = loop.create_task(
        [](AsyncGenerator<int>& its) -> Co<int> { co_return *co_await its.next(); }(numbers));
    co_await yield();
    CHECK_THROWS_AS(co_await numbers.next(), InvalidState);
    CHECK_THROWS_AS(co_await numbers.aclose(), InvalidState);
    CHECK_THROWS_AS(co_await numbers.athrow(std::runtime_error("")), InvalidState);
    CHECK(co_await first == 1);
    CHECK(co_await numbers.next() == std::nullopt);

    AsyncGenerator<int>* self = nullptr;
    auto selfish = [](AsyncGenerator<int>*& its) -> AsyncGenerator<int> {
      co_yield *co_await its->next();
    }(self);
    self = &selfish;
    CHECK_THROWS_AS(co_await selfish.next(), InvalidState);
  });
}

TEST_CASE("a generator that is destroyed at a yield destroys its locals", "[async][generator]") {
  bool destroyed = false;
  run_virtual([&](Loop&) -> Co<> {
    {
      auto values = hold(destroyed);
      co_await values.next();
      auto moved = std::move(values);
      CHECK(co_await moved.next() == 1);
      CHECK_FALSE(destroyed);
    }
    CHECK(destroyed);
  });
}

TEST_CASE("R2: a generator dies with the task that owns it, so the loop has none to close",
          "[async][generator]") {
  bool destroyed = false;
  Loop world(make_virtual_poller());
  const auto leave_one_behind = [&](Loop& loop) -> Co<> {
    loop.create_task([](bool& gone) -> Co<> {
      auto values = hold(gone);
      co_await values.next();
      co_await sleep(1h);
    }(destroyed));
    co_await yield();
  };
  world.run(leave_one_behind(world));
  CHECK(destroyed);
}

TEST_CASE("debug mode reports a generator that was left open", "[async][generator]") {
  std::vector<std::string> heard;
  run_virtual([&](Loop& loop) -> Co<> {
    loop.set_debug(true);
    loop.set_exception_handler([&](const Complaint& complaint) { heard.push_back(complaint.message); });
    {
      auto closed = count_to(3);
      co_await closed.next();
      co_await closed.aclose();
      auto never_started = count_to(3);
    }
    CHECK(heard.empty());
    auto left_open = count_to(3);
    co_await left_open.next();
  });
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].find("count_to") != std::string::npos);
}

TEST_CASE("for_each calls its body for each value, a coroutine or not", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    co_await for_each(count_to(3), [&](int i) { log += std::to_string(i); });
    co_await for_each(count_to(3), [&](int i) -> Co<> {
      co_await sleep(1ms);
      log += std::to_string(i);
    });
  });
  CHECK(log == "123123");
}

TEST_CASE("for_each ends with a false of its body, or with its error, and closes the generator",
          "[async][generator]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    co_await for_each(noted(log), [&](int i) { return i < 2; });
    CHECK(log == "start closed cleaned ");
    log.clear();
    co_await for_each(noted(log), [&](int i) -> Co<bool> { co_return i < 1; });
    CHECK(log == "start closed cleaned ");
    log.clear();
    CHECK_THROWS_WITH(co_await for_each(noted(log), [](int) { throw std::runtime_error("body"); }), "body");
    CHECK(log == "start closed cleaned ");
  });
}

TEST_CASE("for_each closes the generator also when it is cancelled in its body", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop& loop) -> Co<> {
    auto task = loop.create_task([](std::string& text) -> Co<> {
      co_await for_each(noted(text), [](int) -> Co<> { co_await sleep(1h); });
    }(log));
    co_await sleep(1ms);
    task.cancel();
    co_await sleep(10ms);
    CHECK(task.cancelled());
  });
  CHECK(log == "start closed cleaned ");
}

TEST_CASE("aclosing closes what its body leaves open, on every way out", "[async][generator]") {
  std::string log;
  run_virtual([&](Loop&) -> Co<> {
    const int first = co_await aclosing(
        noted(log), [](AsyncGenerator<int>& its) -> Co<int> { co_return *co_await its.next(); });
    CHECK(first == 1);
    CHECK(log == "start closed cleaned ");
    log.clear();
    CHECK_THROWS_WITH(co_await aclosing(noted(log),
                                        [](AsyncGenerator<int>& its) -> Co<> {
                                          co_await its.next();
                                          throw std::runtime_error("body");
                                        }),
                      "body");
    CHECK(log == "start closed cleaned ");
  });
}
