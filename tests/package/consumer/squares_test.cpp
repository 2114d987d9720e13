// How test bodies are written with <gather/testing.hpp>; nothing but Catch2's macros would change elsewhere.
#include <catch2/catch.hpp>
#include <gather/async.hpp>
#include <gather/testing.hpp>

using namespace gather::async;
using namespace gather::testing;
using namespace std::chrono_literals;

TEST_CASE("a queue of waiters is served in order, in virtual time") {
  run_virtual([](Loop& loop) -> Co<> {
    Trace trace(loop);
    Semaphore slot(1);
    const auto work = [](Semaphore& its_slot, Trace& into, const char* name) -> Co<> {
      const auto held = co_await its_slot.scoped();
      into.note(name);
      co_await sleep(1h);
    };
    const Task<> first = loop.create_task(work(slot, trace, "first"));
    const Task<> second = loop.create_task(work(slot, trace, "second"));
    co_await settle();
    CHECK(trace.text() == "0 ms first\n");
    co_await advance(2h);
    CHECK(trace.text() == "0 ms first\n3.6e+06 ms second\n");
  });
}

TEST_CASE("a body on a real loop gives its value") {
  CHECK(gather::testing::run([]() -> Co<int> {
          co_await sleep(1ms);
          co_return 7;
        }) == 7);
}
