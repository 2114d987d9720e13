#include "core/async/thread/to_thread.hpp"

#include "core/async/combine/timeout.hpp"

#include <fmt/format.h>

namespace gather::async {

Pool& default_pool() { return threads_of(get_running_loop()).default_pool(); }

Co<> shutdown_default_executor(std::optional<Duration> timeout) {
  Loop& loop = get_running_loop();
  if (loop.poller().is_virtual()) co_return;
  Threads& threads = threads_of(loop);
  Pool* const pool = threads.shut_down();
  if (pool == nullptr) co_return;
  const Future<> ended = loop.create_future();
  // The reference is the loop's: the pool's thread only moves it on. The gate is open as long as that pool
  // lives.
  pool->begin_shutdown([gate = threads.gate(), told = ended]() mutable {
    gate->post([future = std::move(told)] { future.set_result_unless_cancelled(); });
  });
  if (!timeout) {
    co_await ended;
    co_return;
  }
  const auto wait = [&ended]() -> Co<> { co_await ended; };
  try {
    co_await async::timeout(*timeout, wait);
  } catch (const TimeoutError&) {
    loop.complain({fmt::format("jobs of the thread pool still run, {} s after its shutdown began",
                               std::chrono::duration<double>(*timeout).count())});
  }
}

}  // namespace gather::async
