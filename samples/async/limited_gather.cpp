/// 1,000 calls, never more than 50 at once: gather starts them all, a semaphore lets them through. A call is
/// a sleep of 10 milliseconds, so that no time can be better than 1000 / 50 * 10 ms = 0.2 s.
#include <gather/async.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

using namespace gather::async;
using namespace std::chrono_literals;

struct Counts {
  int now = 0;
  int peak = 0;
};

Co<int> call(int number, Semaphore& limit, Counts& counts) {
  const auto permit = co_await limit.scoped();  // Given back when it dies, however the call ends.
  counts.peak = std::max(counts.peak, ++counts.now);
  co_await sleep(10ms);
  --counts.now;
  co_return number * 2;
}

Co<> call_all() {
  Semaphore limit(50);
  Counts counts;
  std::vector<Co<int>> calls;
  for (int number = 0; number < 1000; ++number) calls.push_back(call(number, limit, counts));

  const Loop& loop = get_running_loop();
  const TimePoint start = loop.now();
  const std::vector<int> answers = co_await gather::async::gather(std::move(calls));
  const std::chrono::duration<double> elapsed = loop.now() - start;
  std::printf("%zu answers, the last is %d; at most %d calls at once; %.2f s\n", answers.size(),
              answers.back(), counts.peak, elapsed.count());
}

int main() { run(call_all()); }
