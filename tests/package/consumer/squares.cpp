// Three slow calculations, never more than two at once, and their results in order.
#include <gather/async.hpp>

#include <cstdio>

using namespace gather::async;
using namespace std::chrono_literals;

Co<int> square(int number, Semaphore& slots) {
  const auto slot = co_await slots.scoped();
  co_await sleep(10ms);
  co_return number* number;
}

Co<> squares() {
  Semaphore slots(2);
  std::vector<Co<int>> calls;
  for (int number = 1; number <= 3; ++number) calls.push_back(square(number, slots));
  for (const int result : co_await gather::async::gather(std::move(calls))) std::printf("%d\n", result);
}

int main() { run(squares()); }
