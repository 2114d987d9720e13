/// So many tasks at once, each a step between two queues: it waits for an item of the first and puts it into
/// the second. One task fills the first queue, one empties the second.
///
///     bench_pipeline TASKS QUEUE_SIZE
///
/// Prints {"cpu_s": …, "wall_s": …, "waiting": …, "bytes_per_task": …}: `waiting` is how many tasks waited at
/// the queue before the first item came.
#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/sync/queue.hpp"
#include "core/async/task/sleep.hpp"
#include "tests/bench/measure.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

using namespace gather::async;

namespace {

struct Pipeline {
  explicit Pipeline(long size) : first(size), second(size) {}
  Queue<long> first;
  Queue<long> second;
  long waiting = 0;
};

Co<> step(Pipeline& pipeline) {
  ++pipeline.waiting;
  const long item = co_await pipeline.first.get();
  co_await pipeline.second.put(item + 1);
}

Co<> fill(Pipeline& pipeline, long count) {
  for (long i = 0; i < count; ++i) co_await pipeline.first.put(i);
}

Co<> empty(Pipeline& pipeline, long count) {
  for (long i = 0; i < count; ++i)
    if (co_await pipeline.second.get() != i + 1) std::exit(1);  // First come, first served.
}

Co<long> all(long count, long queue_size) {
  Pipeline pipeline(queue_size);
  std::vector<Co<>> bodies;
  for (long i = 0; i < count; ++i) bodies.push_back(step(pipeline));
  auto steps = create_task(gather::async::gather(std::move(bodies)));
  while (pipeline.waiting < count) co_await yield();
  const long waiting = pipeline.waiting;
  co_await gather::async::gather(fill(pipeline, count), empty(pipeline, count));
  co_await steps;
  co_return waiting;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long count = std::atol(argv[1]);
  Loop loop;
  const double memory = gather::bench::peak_memory_bytes();
  const double cpu = gather::bench::cpu_seconds();
  const TimePoint start = loop.now();
  const long waiting = loop.run(all(count, std::atol(argv[2])));
  const std::chrono::duration<double> wall = loop.now() - start;
  std::printf("{\"cpu_s\": %f, \"wall_s\": %f, \"waiting\": %ld, \"bytes_per_task\": %f}\n",
              gather::bench::cpu_seconds() - cpu, wall.count(), waiting,
              (gather::bench::peak_memory_bytes() - memory) / static_cast<double>(count));
}
