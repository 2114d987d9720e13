/// wait and as_completed: the first of several, and each as it comes.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

using namespace gather::async;
using namespace std::chrono_literals;

Co<std::string> answer(std::string name, gather::Duration length) {
  co_await sleep(length);
  co_return name;
}

Co<> wait_for_some() {
  std::vector<Task<std::string>> tasks;
  tasks.push_back(create_task(answer("slow", 200ms)));
  tasks.push_back(create_task(answer("fast", 10ms)));
  tasks.push_back(create_task(answer("middle", 100ms)));

  const auto [done, pending] = co_await wait(tasks, {.return_when = FIRST_COMPLETED});
  std::printf("%zu done, %zu pending; the first is %s\n", done.size(), pending.size(),
              done[0].result().c_str());

  auto rest = as_completed(pending);
  while (const auto next = co_await rest.next()) std::printf("then %s\n", next->result().c_str());
}

int main() { run(wait_for_some()); }
