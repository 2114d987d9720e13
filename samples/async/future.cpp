/// A future: a result that somebody else will set, later.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<> set_after(Future<std::string> future, gather::Duration delay, std::string value) {
  co_await sleep(delay);
  future.set_result_unless_cancelled(std::move(value));  // Nobody may want it any more.
}

Co<> wait_for_the_answer() {
  Future<std::string> future = create_future<std::string>();
  future.add_done_callback([](const Awaitable<std::string>& ended) {
    if (!ended.cancelled()) std::printf("the callback got \"%s\"\n", ended.result().c_str());
  });
  Task<> setter = create_task(set_after(future, 10ms, "... world"));

  std::puts("hello ...");
  std::puts((co_await future).c_str());
  co_await setter;
}

int main() { run(wait_for_the_answer()); }
