/// Lock, Event, Condition, Semaphore and Barrier: one small use of each. The tasks refer to what they share,
/// so a TaskGroup sees to it that none outlives it.
#include <gather/async.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> lock() {
  Lock lock;
  int shared = 0;
  const auto add = [&]() -> Co<> {
    const auto guard = co_await lock.scoped();
    const int seen = shared;
    co_await sleep(1ms);  // Without the lock, others would change it meanwhile.
    shared = seen + 1;
  };
  co_await task_group([&](TaskGroup& group) -> Co<> {
    for (int i = 0; i < 3; ++i) group.create_task(add());
    co_return;
  });
  std::printf("lock: %d\n", shared);
}

Co<> event() {
  Event ready;
  const auto waiter = [&]() -> Co<> {
    co_await ready.wait();
    std::puts("event: got it");
  };
  co_await task_group([&](TaskGroup& group) -> Co<> {
    group.create_task(waiter());
    co_await sleep(1ms);
    ready.set();
  });
}

Co<> condition() {
  Condition changed;
  int stock = 0;
  const auto consumer = [&]() -> Co<> {
    const auto guard = co_await changed.scoped();
    co_await changed.wait_for([&] { return stock >= 2; });
    std::printf("condition: %d in stock\n", stock);
  };
  co_await task_group([&](TaskGroup& group) -> Co<> {
    group.create_task(consumer());
    for (int i = 0; i < 2; ++i) {
      const auto guard = co_await changed.scoped();
      ++stock;
      changed.notify_all();
    }
  });
}

Co<> semaphore() {
  Semaphore two(2);
  int now = 0;
  int peak = 0;
  const auto call = [&]() -> Co<> {
    const auto permit = co_await two.scoped();
    peak = std::max(peak, ++now);
    co_await sleep(1ms);
    --now;
  };
  co_await task_group([&](TaskGroup& group) -> Co<> {
    for (int i = 0; i < 10; ++i) group.create_task(call());
    co_return;
  });
  std::printf("semaphore: %d at once\n", peak);
}

Co<> barrier() {
  Barrier all(3);
  const auto runner = [&](gather::Duration preparation) -> Co<> {
    co_await sleep(preparation);
    if (co_await all.wait() == 0) std::puts("barrier: everybody is here");
  };
  co_await task_group([&](TaskGroup& group) -> Co<> {
    for (const auto preparation : {1ms, 2ms, 3ms}) group.create_task(runner(preparation));
    co_return;
  });
}

Co<> all() {
  co_await lock();
  co_await event();
  co_await condition();
  co_await semaphore();
  co_await barrier();
}

int main() { run(all()); }
