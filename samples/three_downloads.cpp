/// The first program of every asyncio tutorial: three downloads, one after the other and then together. Each
/// is a sleep here, of 2 seconds or of as many milliseconds as the first argument says.
#include "core/async/combine/gather.hpp"
#include "core/async/loop/loop.hpp"
#include "core/async/task/future.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

using namespace gather::async;
using std::chrono::milliseconds;

namespace {

constexpr std::array names = {"one", "two", "three"};

Co<std::string> download(std::string name, milliseconds length) {
  co_await sleep(length);
  co_return name + ".html";
}

Co<> one_after_the_other(milliseconds length) {
  for (const char* name : names) fmt::print("  got {}\n", co_await download(name, length));
}

Co<> together(milliseconds length) {
  std::vector<Co<std::string>> downloads;
  for (const char* name : names) downloads.push_back(download(name, length));
  for (const std::string& page : co_await gather::async::gather(std::move(downloads)))
    fmt::print("  got {}\n", page);
}

double seconds_since(const Loop& loop, TimePoint start) {
  return std::chrono::duration<double>(loop.now() - start).count();
}

Co<> compare(Loop& loop, milliseconds length) {
  TimePoint start = loop.now();
  co_await one_after_the_other(length);
  fmt::print("one after the other: {:.2f} s\n", seconds_since(loop, start));
  start = loop.now();
  co_await together(length);
  fmt::print("together:            {:.2f} s\n", seconds_since(loop, start));
}

}  // namespace

int main(int argc, char** argv) {
  Loop loop;
  loop.run(compare(loop, milliseconds(argc > 1 ? std::atoi(argv[1]) : 2000)));
}
