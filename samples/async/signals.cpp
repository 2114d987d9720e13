/// Signals: a handler on the loop, and a coroutine that waits for one.
#include <gather/async.hpp>

#include <csignal>
#include <cstdio>

using namespace gather::async;

Co<> serve_until_terminated() {
  Loop& loop = get_running_loop();
  add_signal_handler(loop, SIGHUP, [] { std::puts("reading the configuration again"); });

  Task<> work = create_task([]() -> Co<> {
    std::raise(SIGHUP);  // As `kill -HUP` would.
    co_await sleep(std::chrono::milliseconds(5));
    std::raise(SIGTERM);
  }());
  const int number = co_await wait_for_signal({SIGINT, SIGTERM});
  std::printf("got signal %d, bye\n", number);
  co_await work;
  remove_signal_handler(loop, SIGHUP);
}

int main() { run(serve_until_terminated()); }
