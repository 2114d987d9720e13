/// So many coroutines that each take a permit, go once through the ready queue, and give it back.
/// semaphore.py is the same in Python.
///
///     bench_semaphore COUNT PERMITS
#include "core/async/sync/semaphore.hpp"

#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"

#include <cstdlib>
#include <vector>

using namespace gather::async;
using gather::Duration;

namespace {

Co<> one(Semaphore& semaphore) {
  const auto permit = co_await semaphore.scoped();
  co_await sleep(Duration(0));
}

Co<> all(std::size_t count, std::ptrdiff_t permits) {
  Semaphore semaphore(permits);
  std::vector<Co<>> bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(one(semaphore));
  co_await gather::async::gather(std::move(bodies));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Loop loop;
  loop.run(all(std::strtoul(argv[1], nullptr, 10), std::strtol(argv[2], nullptr, 10)));
}
