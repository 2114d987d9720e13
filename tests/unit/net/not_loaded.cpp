/// A program that could fetch and does not: libcurl must not be in its memory. Then it loads it, and the loop
/// must go on meanwhile.
#include "core/async/combine/gather.hpp"
#include "core/async/task/sleep.hpp"
#include "core/net/session.hpp"

#include <fstream>
#include <iostream>
#include <string>

namespace async = gather::async;

namespace {

/// The library that is in memory though nobody asked for it; empty if none is.
std::string loaded() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.contains("libcurl") || line.contains("libcrypto")) return line;
  return "";
}

async::Co<> load(gather::net::Session& session, bool& over) {
  co_await session.load(gather::net::Libraries::curl_and_crypto);
  over = true;
}

async::Co<int> count_passes(const bool& over) {
  int passes = 0;
  while (!over) {
    ++passes;
    co_await async::yield();
  }
  co_return passes;
}

async::Co<int> passes_while_loading(gather::net::Session& session) {
  bool over = false;
  const auto [nothing, passes] = co_await async::gather(load(session, over), count_passes(over));
  co_return passes;
}

}  // namespace

int main() {
  async::Loop loop;
  gather::net::Session session(loop);
  if (const std::string line = loaded(); !line.empty()) {
    std::cerr << "loaded without a transfer: " << line << '\n';
    return 1;
  }
  const int passes = loop.run(passes_while_loading(session));
  if (loaded().empty() || passes < 10) {
    std::cerr << "the loop had " << passes << " passes while libcurl was loaded\n";
    return 1;
  }
}
