// A test that is not done in time, and then ignores its cancel.
#include "core/async/async.hpp"
#include "core/testing/testing.hpp"

using namespace std::chrono_literals;
using namespace gather::async;

int main() {
  gather::testing::run(
      []() -> Co<> {
        for (;;) try {
            co_await sleep(1h);
          } catch (const Cancelled&) {
          }
      },
      {.time = 10ms});
}
