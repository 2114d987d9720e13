/// Logging from tasks and threads: every line names its task, and a task-local value, also inside to_thread.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

static ContextVar<std::string> request("request", "-");

void log(const std::string& text) {
  static std::mutex mutex;  // Threads log too.
  const AnyTask task = current_task();
  const std::string who = task ? task.name() : "a thread";
  const std::lock_guard lock(mutex);
  std::printf("[%s] [request %s] %s\n", who.c_str(), request.get().c_str(), text.c_str());
}

int slow_sum(int n) {
  log("adding up");
  int sum = 0;
  for (int i = 1; i <= n; ++i) sum += i;
  return sum;
}

Co<> handle(std::string id, gather::Duration length) {
  request.set(std::move(id));  // Of this task alone, and of what it starts.
  log("begins");
  co_await sleep(length);
  const int sum = co_await to_thread(slow_sum, 1000);
  log("ends with " + std::to_string(sum));
}

Co<> serve() {
  log("starting");
  co_await task_group([](TaskGroup& group) -> Co<> {
    group.create_task(handle("7", 10ms), "first");
    group.create_task(handle("8", 150ms), "second");
    co_return;
  });
  log("all done");
}

int main() { run(serve()); }
