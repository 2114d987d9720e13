/// Where am I: the loop and the task that this thread is running, under asyncio's names.
#pragma once

#include "core/async/loop/loop.hpp"

#include <coroutine>
#include <source_location>
#include <string_view>
#include <utility>

namespace gather::async {

/// The loop that this thread is running. Throws InvalidState if it runs none.
Loop& get_running_loop();

/// The task whose step this is; null in callbacks and outside of any loop.
AnyTask current_task() noexcept;

/// Unfinished tasks of the running loop, in the order in which they were made.
inline std::vector<AnyTask> all_tasks() { return get_running_loop().all_tasks(); }

/// Loop::create_task on the running loop. Throws InvalidState, and destroys `body` unrun, if there is none.
template <class T>
Task<T> create_task(Co<T> body, std::string_view name = {},
                    std::source_location where = std::source_location::current()) {
  return get_running_loop().create_task(std::move(body), name, where);
}

/// Loop::create_eager_task on the running loop.
template <class T>
Task<T> create_eager_task(Co<T> body, std::string_view name = {},
                          std::source_location where = std::source_location::current()) {
  return get_running_loop().create_eager_task(std::move(body), name, where);
}

/// Loop::create_future on the running loop.
template <class T = void>
Future<T> create_future() {
  return get_running_loop().create_future<T>();
}

/// The task that awaits it, without counting a reference. Never suspends.
class ThisTask {
 public:
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> frame) noexcept {
    task_ = frame.promise().task;
    return false;
  }
  TaskCell& await_resume() const noexcept { return *task_; }

 private:
  TaskCell* task_ = nullptr;
};

/// `TaskCell& task = co_await this_task();`
inline ThisTask this_task() noexcept { return {}; }

}  // namespace gather::async
