/// Lock, Event, Condition, Semaphore and Barrier: one small use of each.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <vector>

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
  co_await gather::async::gather(add(), add(), add());
  std::printf("lock: %d\n", shared);
}

Co<> event() {
  Event ready;
  const auto waiter = [&]() -> Co<> {
    co_await ready.wait();
    std::puts("event: got it");
  };
  Task<> task = create_task(waiter());
  co_await sleep(1ms);
  ready.set();
  co_await task;
}

Co<> condition() {
  Condition changed;
  int stock = 0;
  const auto consumer = [&]() -> Co<> {
    const auto guard = co_await changed.scoped();
    co_await changed.wait_for([&] { return stock >= 2; });
    std::printf("condition: %d in stock\n", stock);
  };
  Task<> task = create_task(consumer());
  for (int i = 0; i < 2; ++i) {
    const auto guard = co_await changed.scoped();
    ++stock;
    changed.notify_all();
  }
  co_await task;
}

Co<> semaphore() {
  Semaphore two(2);
  int now = 0;
  int peak = 0;
  std::vector<Co<>> calls;
  const auto call = [&]() -> Co<> {
    const auto permit = co_await two.scoped();
    peak = std::max(peak, ++now);
    co_await sleep(1ms);
    --now;
  };
  for (int i = 0; i < 10; ++i) calls.push_back(call());
  co_await gather::async::gather(std::move(calls));
  std::printf("semaphore: %d at once\n", peak);
}

Co<> barrier() {
  Barrier all(3);
  const auto runner = [&](gather::Duration preparation) -> Co<> {
    co_await sleep(preparation);
    if (co_await all.wait() == 0) std::puts("barrier: everybody is here");
  };
  co_await gather::async::gather(runner(1ms), runner(2ms), runner(3ms));
}

Co<> all() {
  co_await lock();
  co_await event();
  co_await condition();
  co_await semaphore();
  co_await barrier();
}

int main() { run(all()); }
