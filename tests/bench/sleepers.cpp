/// So many coroutines that sleep at the same time, each for a length of its own between two; what that costs,
/// and how late they wake. sleepers.py is the same in Python.
///
///     bench_sleepers COUNT SHORTEST_MS LONGEST_MS
///
/// Prints {"wall_ms": …, "bytes_per_task": …, "late_p99_ms": …, "late_max_ms": …, "early": …}. Bytes are the
/// growth of the peak of resident memory, with everything that the caller of gather has to build. Lateness
/// counts from the moment at which the coroutine asked to sleep; `early` is how many woke too soon. It is
/// measured only where lengths differ: where all sleep equally long it would be the time that all need to
/// wake.
#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/sleep.hpp"
#include "tests/bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

using namespace gather::async;
using gather::Duration;
using Milliseconds = std::chrono::duration<double, std::milli>;

namespace {

Co<> one(Duration length) { co_await sleep(length); }

Co<> timed(Duration length, std::vector<double>& late) {
  Loop& loop = get_running_loop();
  const TimePoint due = loop.now() + length;
  co_await sleep(length);
  late.push_back(Milliseconds(loop.now() - due).count());
}

Co<> all(long count, long shortest, long longest, std::vector<double>& late) {
  std::mt19937 random(1);
  std::uniform_int_distribution<long> length(shortest * 1'000'000, longest * 1'000'000);
  std::vector<Co<>> bodies;
  for (long i = 0; i < count; ++i)
    bodies.push_back(shortest == longest ? one(std::chrono::milliseconds(shortest))
                                         : timed(Duration(length(random)), late));
  co_await gather::async::gather(std::move(bodies));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const long count = std::atol(argv[1]);
  Loop loop;
  std::vector<double> late;
  const double before = gather::bench::peak_memory_bytes();
  const TimePoint start = loop.now();
  loop.run(all(count, std::atol(argv[2]), std::atol(argv[3]), late));
  const Milliseconds wall = loop.now() - start;
  const double bytes = (gather::bench::peak_memory_bytes() - before) / static_cast<double>(count);
  const auto early = std::ranges::count_if(late, [](double each) { return each < 0; });
  if (late.empty()) late.push_back(0);
  std::ranges::sort(late);
  std::printf(
      "{\"wall_ms\": %f, \"bytes_per_task\": %f, \"late_p99_ms\": %f, \"late_max_ms\": %f, \"early\": %td}\n",
      wall.count(), bytes, late[late.size() * 99 / 100], late.back(), early);
}
