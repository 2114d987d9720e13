/// What the smallest steps cost: awaiting a coroutine that never suspends, and cancelling a task that sleeps,
/// until it has ended. awaits.py is the same in Python.
///
///     bench_awaits AWAITS TASKS
///
/// Prints {"await_ns": …, "cancel_us": …}: CPU of each.
#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/sleep.hpp"
#include "tests/bench/measure.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

using namespace gather::async;
using gather::bench::cpu_seconds;

namespace {

// Kept out of its caller, as most coroutines are by being in another file.
[[gnu::noinline]] Co<long> leaf(long number) { co_return number; }

Co<double> await_many(long count) {
  const double start = cpu_seconds();
  long sum = 0;
  for (long i = 0; i < count; ++i) sum += co_await leaf(i);
  if (sum != count * (count - 1) / 2) std::exit(1);
  co_return cpu_seconds() - start;
}

Co<> sleeper() { co_await sleep(std::chrono::hours(1)); }

Co<double> cancel_many(long count) {
  Loop& loop = get_running_loop();
  std::vector<Task<>> tasks;
  for (long i = 0; i < count; ++i) tasks.push_back(loop.create_task(sleeper()));
  co_await yield();  // All sleep now.
  const double start = cpu_seconds();
  for (const Task<>& task : tasks) task.cancel();
  co_await yield();
  for (const Task<>& task : tasks)
    if (!task.cancelled()) std::exit(1);
  co_return cpu_seconds() - start;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long awaits = std::atol(argv[1]);
  const long tasks = std::atol(argv[2]);
  Loop loop;
  const double awaiting = loop.run(await_many(awaits));
  const double cancelling = loop.run(cancel_many(tasks));
  std::printf("{\"await_ns\": %f, \"cancel_us\": %f}\n", awaiting / static_cast<double>(awaits) * 1e9,
              cancelling / static_cast<double>(tasks) * 1e6);
}
