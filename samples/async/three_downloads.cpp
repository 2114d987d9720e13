/// The first program of every asyncio tutorial: three downloads, one after the other and then together. Each
/// is a sleep here, of 2 seconds or of as many milliseconds as the first argument says.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace gather::async;
using std::chrono::milliseconds;

Co<std::string> download(std::string name, milliseconds length) {
  co_await sleep(length);
  co_return name + ".html";
}

Co<> one_after_the_other(milliseconds length) {
  for (const char* name : {"one", "two", "three"})
    std::printf("  got %s\n", (co_await download(name, length)).c_str());
}

Co<> together(milliseconds length) {
  const auto [one, two, three] = co_await gather::async::gather(
      download("one", length), download("two", length), download("three", length));
  for (const std::string& page : {one, two, three}) std::printf("  got %s\n", page.c_str());
}

double seconds_since(TimePoint start) {
  return std::chrono::duration<double>(get_running_loop().now() - start).count();
}

Co<> compare(milliseconds length) {
  TimePoint start = get_running_loop().now();
  co_await one_after_the_other(length);
  std::printf("one after the other: %.2f s\n", seconds_since(start));
  start = get_running_loop().now();
  co_await together(length);
  std::printf("together: %.2f s\n", seconds_since(start));
}

int main(int argc, char** argv) { run(compare(milliseconds(argc > 1 ? std::atoi(argv[1]) : 2000))); }
