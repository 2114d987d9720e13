/// Cancelling: a task that cleans up, one that is shielded, and cleanup that has to await.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <vector>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> cancel_me() {
  std::puts("cancel_me: before sleep");
  try {
    co_await sleep(1h);
  } catch (const Cancelled&) {
    std::puts("cancel_me: cancelled");
    throw;  // Or the task would go on living.
  }
}

Co<> save() {
  co_await sleep(10ms);
  std::puts("saved");
}

// C++ can't await inside a catch block or a destructor; finally() awaits the cleanup on every way out.
Co<> work_with_cleanup() {
  co_await finally([]() -> Co<> { co_await sleep(1h); },
                   []() -> Co<> {
                     co_await sleep(1ms);
                     std::puts("cleaned up");
                   });
}

Co<> cancelling() {
  Task<> task = create_task(cancel_me());
  co_await sleep(1ms);
  task.cancel();
  try {
    co_await task;
  } catch (const Cancelled&) {
    std::puts("main: cancel_me is cancelled now");
  }

  Task<> saving = create_task(save());
  Task<> impatient = create_task([](Task<> inner) -> Co<> { co_await shield(inner); }(saving));
  co_await yield();
  impatient.cancel();  // Cancels who waits, not what it waits for.
  co_await saving;

  Task<> worker = create_task(work_with_cleanup());
  co_await yield();
  worker.cancel();
  co_await wait(std::vector{worker});
  std::printf("the worker is %s\n", worker.cancelled() ? "cancelled" : "still there");
}

int main() { run(cancelling()); }
