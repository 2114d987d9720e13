/// So many coroutines that each take a permit and give it back, having gone through the ready queue so many
/// times. semaphore.py is the same in Python.
///
///     bench_semaphore COUNT PERMITS YIELDS
#include "core/async/sync/semaphore.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/sleep.hpp"

#include <cstdlib>
#include <utility>
#include <vector>

using namespace gather::async;
using gather::Duration;

namespace {

Co<> one(Semaphore& semaphore, int yields) {
  const auto permit = co_await semaphore.scoped();
  for (int i = 0; i < yields; ++i) co_await sleep(Duration(0));
}

Co<> all(long count, long permits, int yields) {
  Semaphore semaphore(permits);
  std::vector<Co<>> bodies;
  for (long i = 0; i < count; ++i) bodies.push_back(one(semaphore, yields));
  co_await gather::async::gather(std::move(bodies));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  Loop loop;
  loop.run(all(std::atol(argv[1]), std::atol(argv[2]), std::atoi(argv[3])));
}
