/// Timeouts: around one coroutine, around a block, and one that is moved while it runs.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> eternity() {
  co_await sleep(1h);
  std::puts("yay!");
}

Co<> time_limits() {
  try {
    co_await wait_for(eternity(), 10ms);
  } catch (const TimeoutError&) {
    std::puts("wait_for: timeout!");
  }

  try {
    co_await timeout(10ms, []() -> Co<> {
      std::puts("starting");
      co_await eternity();
    });
  } catch (const TimeoutError&) {
    std::puts("timeout: timeout!");
  }

  const TimePoint soon = get_running_loop().now() + 10ms;
  co_await timeout_at(soon, [](TimeoutScope& scope) -> Co<> {
    scope.reschedule(get_running_loop().now() + 1h);  // There is more to do than we thought.
    co_await sleep(20ms);
    std::puts("done in time");
  });
}

int main() { run(time_limits()); }
