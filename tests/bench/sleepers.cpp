/// So many coroutines that sleep at the same time; prints how long all took, and what one of them costs in
/// memory.
///
///     bench_sleepers COUNT MILLISECONDS
///
/// Prints {"wall_ms": …, "bytes_per_task": …}: the growth of the peak of resident memory, with everything
/// that the caller of gather has to build.
#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using namespace gather::async;
using gather::Duration;

namespace {

Co<> one(Duration length) { co_await sleep(length); }

Co<> all(std::size_t count, Duration length) {
  std::vector<Co<>> bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(one(length));
  co_await gather::async::gather(std::move(bodies));
}

// The process's own peak; getrusage would count what it was before its program ran, too.
std::size_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      std::size_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::size_t count = std::strtoul(argv[1], nullptr, 10);
  const std::chrono::milliseconds length(std::strtol(argv[2], nullptr, 10));
  Loop loop;
  const std::size_t before = peak_memory_bytes();
  const TimePoint start = loop.now();
  loop.run(all(count, length));
  const std::chrono::duration<double, std::milli> wall = loop.now() - start;
  const double bytes = static_cast<double>(peak_memory_bytes() - before) / static_cast<double>(count);
  std::cout << "{\"wall_ms\": " << wall.count() << ", \"bytes_per_task\": " << bytes << "}\n";
}
