/// A TaskGroup: tasks that end together. One that fails ends the others, and every error is told.
#include <gather/async.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>

using namespace gather::async;
using namespace std::chrono_literals;

Co<int> fetch(std::string name, gather::Duration length) {
  co_await sleep(length);
  std::printf("got %s\n", name.c_str());
  co_return static_cast<int>(name.size());
}

Co<> fail_after(gather::Duration length) {
  co_await sleep(length);
  throw std::runtime_error("the server is gone");
}

Co<> groups() {
  Task<int> first;
  Task<int> second;
  co_await task_group([&](TaskGroup& group) -> Co<> {
    first = group.create_task(fetch("one", 20ms));
    second = group.create_task(fetch("three", 10ms));
    co_return;
  });  // Waits for both.
  std::printf("%d and %d letters\n", first.result(), second.result());

  try {
    co_await task_group([](TaskGroup& group) -> Co<> {
      group.create_task(fetch("never", 1h));
      group.create_task(fail_after(10ms), "doomed");
      co_return;
    });
  } catch (const ErrorGroup& errors) {
    for (const ErrorGroup::Member& member : errors.members())
      std::printf("%s failed: %s\n", member.task.c_str(), describe(member.error).c_str());
  }
}

int main() { run(groups()); }
