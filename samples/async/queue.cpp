/// Producer and consumers: a queue of work, three workers, and an orderly end.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> worker(Queue<int>& queue, int& done) {
  for (;;) {
    const int milliseconds = co_await queue.get();
    co_await sleep(std::chrono::milliseconds(milliseconds));
    ++done;
    queue.task_done();
  }
}

Co<> produce_and_consume() {
  Queue<int> queue(10);  // put() waits while ten items are in it.
  int done = 0;
  const TimePoint start = get_running_loop().now();
  co_await task_group([&](TaskGroup& group) -> Co<> {
    for (int i = 1; i <= 3; ++i) group.create_task(worker(queue, done), "worker-" + std::to_string(i));
    for (int i = 0; i < 30; ++i) co_await queue.put(5);
    co_await queue.join();  // Until every item was worked on.
    group.cancel();         // The workers wait for more, for ever.
  });
  const auto took = get_running_loop().now() - start;
  std::printf("30 items of 5 ms by 3 workers: %d done, %s\n", done,
              took < 150ms ? "in less than 150 ms" : "late");
}

int main() { run(produce_and_consume()); }
