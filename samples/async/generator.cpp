/// An async generator: values that come over time, read in a loop, closed on every way out.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>

using namespace gather::async;
using namespace std::chrono_literals;

AsyncGenerator<int> ticker(gather::Duration delay, int to) {
  for (int i = 0; i < to; ++i) {
    co_yield i;
    co_await sleep(delay);
  }
}

AsyncGenerator<int> squares(AsyncGenerator<int> numbers) {
  while (const auto number = co_await numbers.next()) co_yield *number** number;
}

Co<> count() {
  AsyncGenerator<int> numbers = squares(ticker(5ms, 5));
  while (const auto number = co_await numbers.next()) std::printf("%d\n", *number);

  // for_each closes its generator on every way out.
  co_await for_each(ticker(1ms, 3), [](int i) { std::printf("tick %d\n", i); });
}

int main() { run(count()); }
