/// Blocking work in threads, while the loop goes on: to_thread, and an own pool with run_in_executor.
#include <gather/async.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>

using namespace gather::async;
using namespace std::chrono_literals;

std::string first_line(const std::string& path) {  // Blocks, as ifstream does.
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t sum_of_squares(std::uint64_t n) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < n; ++i) sum += i * i;
  return sum;
}

// Told of a cancel by its stop_token, if it takes one first.
int until_stopped(const std::stop_token& stop) {
  int turns = 0;
  for (; !stop.stop_requested(); ++turns) std::this_thread::sleep_for(1ms);
  return turns;
}

Co<> heartbeat() {
  for (;;) {
    co_await sleep(1ms);  // The loop is free all the time.
  }
}

Co<> work() {
  Task<> beating = create_task(heartbeat());
  std::printf("/proc/self/comm: %s\n", (co_await to_thread(first_line, "/proc/self/comm")).c_str());

  Pool pool(2);
  const auto [small, large] =
      co_await gather::async::gather(run_in_executor(pool, sum_of_squares, std::uint64_t{100}),
                                     run_in_executor(pool, sum_of_squares, std::uint64_t{1'000'000}));
  std::printf("%ju and %ju\n", static_cast<std::uintmax_t>(small), static_cast<std::uintmax_t>(large));

  try {
    co_await timeout(10ms, []() -> Co<> { co_await to_thread(until_stopped); });
  } catch (const TimeoutError&) {
    std::puts("told to stop");
  }
  beating.cancel();
}

int main() { run(work()); }
