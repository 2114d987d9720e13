/// gather: three factorials at once; the results come in the order in which they were asked for.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<long> factorial(std::string name, int number) {
  long result = 1;
  for (int i = 2; i <= number; ++i) {
    std::printf("%s: computing factorial(%d), now i = %d\n", name.c_str(), number, i);
    co_await sleep(10ms);
    result *= i;
  }
  co_return result;
}

Co<long> broken() {
  throw std::runtime_error("no result here");
  co_return 0;
}

Co<> compute() {
  const auto [two, three, four] =
      co_await gather::async::gather(factorial("A", 2), factorial("B", 3), factorial("C", 4));
  std::printf("%ld, %ld, %ld\n", two, three, four);

  // As with return_exceptions=True, every outcome has its place.
  std::vector<Co<long>> bodies;
  bodies.push_back(factorial("D", 2));
  bodies.push_back(broken());
  for (const Result<long>& result : co_await gather_settled(std::move(bodies)))
    if (result)
      std::printf("%ld\n", *result);
    else
      std::printf("failed: %s\n", describe(result.error()).c_str());
}

int main() { run(compute()); }
