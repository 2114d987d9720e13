/// A program that could fetch and does not: libcurl must not be in its memory. Then it loads it, and the loop
/// must go on meanwhile.
///
///     net_not_loaded          A Session loads it.
///     net_not_loaded client   The first request of a ClientSession does.
#include "core/async/combine/gather.hpp"
#include "core/async/task/sleep.hpp"
#include "core/net/client.hpp"
#include "core/net/client_error.hpp"
#include "core/net/session.hpp"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

namespace async = gather::async;
namespace net = gather::net;

namespace {

/// The library that is in memory though nobody asked for it; empty if none is.
std::string in_memory() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.contains("libcurl") || line.contains("libcrypto")) return line;
  return "";
}

async::Co<> load(net::Session& session) { co_await session.load(net::Libraries::curl_and_crypto); }

async::Co<> ask(net::ClientSession& session) {
  try {
    co_await session.get("http://127.0.0.1:1/");
  } catch (const net::ClientError&) {  // Nobody is there; that it was tried is enough.
  }
}

/// Until libcurl can be used.
async::Co<int> count_passes() {
  int passes = 0;
  while (!net::loaded(net::Libraries::curl)) {
    ++passes;
    co_await async::yield();
  }
  co_return passes;
}

async::Co<int> passes_during(async::Co<> loading) {
  const auto [nothing, passes] = co_await async::gather(std::move(loading), count_passes());
  co_return passes;
}

constexpr int few_passes = 2;

/// How it was in a process of its own: 0 if all was well, `few_passes`, or 1.
int look(bool is_client) {
  async::Loop loop;
  net::Session session(loop);
  net::ClientSession client(loop);
  if (const std::string line = in_memory(); !line.empty()) {
    std::cerr << "loaded without a transfer: " << line << '\n';
    return 1;
  }
  const int passes = loop.run(passes_during(is_client ? ask(client) : load(session)));
  if (!in_memory().empty() && passes >= 10) return 0;
  std::cerr << "the loop had " << passes << " passes while libcurl was loaded\n";
  return few_passes;
}

}  // namespace

// A busy machine may let the loop stand still for as long as loading takes. A loop that is blocked by it
// never has a pass.
int main(int argc, char** argv) {
  const bool is_client = argc > 1 && std::string_view(argv[1]) == "client";
  constexpr int tries = 10;
  for (int i = 0; i < tries; ++i) {
    const pid_t child = fork();
    if (child == 0) return look(is_client);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 1;
    if (WEXITSTATUS(status) != few_passes) return WEXITSTATUS(status);
  }
  return 1;
}
