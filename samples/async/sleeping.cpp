/// Hello, world: coroutines that sleep, first one after the other, then as tasks at the same time.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> say_after(gather::Duration delay, std::string what) {
  co_await sleep(delay);
  std::puts(what.c_str());
}

Co<> hello() {
  std::puts("one after the other, 30 ms:");
  co_await say_after(10ms, "  hello");
  co_await say_after(20ms, "  world");

  std::puts("as tasks, 20 ms:");
  Task<> slow = create_task(say_after(20ms, "  world"));
  Task<> fast = create_task(say_after(10ms, "  hello"));
  co_await slow;
  co_await fast;
}

int main() { run(hello()); }
