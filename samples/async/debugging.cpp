/// Debug mode: what it notices, and the tree of tasks.
#include <gather/async.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> save() { co_await sleep(1ms); }

void think_for(gather::Duration length) {
  const Loop& loop = get_running_loop();
  const TimePoint end = loop.now() + length;
  while (loop.now() < end) {
  }
}

Co<> careless() {
  (void)save();     // No co_await: it never runs.
  think_for(30ms);  // Holds up everything else.
  co_await sleep(10ms);
}

Co<> watched() {
  Loop& loop = get_running_loop();
  loop.set_slow_callback_duration(20ms);
  loop.set_exception_handler(
      [](const Complaint& complaint) { std::printf("noticed: %.40s...\n", complaint.message.c_str()); });
  Task<> task = create_task(careless(), "careless");
  co_await sleep(5ms);
  const std::string tree = describe_tasks(loop);
  std::printf("%zu lines about where every task waits\n",
              static_cast<std::size_t>(std::count(tree.begin(), tree.end(), '\n')));
  co_await task;
}

int main() { run(watched(), {.debug = true}); }
