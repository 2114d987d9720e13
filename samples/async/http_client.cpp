/// Three downloads over HTTP, one after the other and then together, as every asyncio tutorial has them.
#include <gather/async.hpp>
#include <gather/net.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

using namespace gather::async;
using gather::net::ClientResponse;
using gather::net::ClientSession;

Co<std::size_t> download(ClientSession& session, std::string url) {
  ClientResponse response = co_await session.get(url);
  response.raise_for_status();
  co_return (co_await response.read()).size();
}

double seconds_since(TimePoint start) {
  return std::chrono::duration<double>(get_running_loop().now() - start).count();
}

Co<> compare(std::vector<std::string> urls) {
  ClientSession session(get_running_loop());
  TimePoint start = get_running_loop().now();
  for (const std::string& url : urls) std::printf("%zu bytes\n", co_await download(session, url));
  std::printf("one after the other: %.2f s\n", seconds_since(start));

  start = get_running_loop().now();
  std::vector<Co<std::size_t>> downloads;
  for (const std::string& url : urls) downloads.push_back(download(session, url));
  for (const std::size_t size : co_await gather::async::gather(std::move(downloads)))
    std::printf("%zu bytes\n", size);
  std::printf("together: %.2f s\n", seconds_since(start));
}

int main(int argc, char** argv) { run(compare({argv + 1, argv + argc})); }
