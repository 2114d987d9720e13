// Interrupts itself, hangs in a step that the cancel has not reached, and interrupts itself again.
#include "core/async/loop/runner.hpp"

#include <signal.h>

using namespace gather::async;

int main() {
  run([]() -> Co<> {
    raise(SIGINT);
    try {
      co_await sleep(std::chrono::seconds(10));
    } catch (const Cancelled&) {
    }
    raise(SIGINT);
    for (;;) {
    }
  }());
}
