#include "core/async/loop/loop.hpp"

#include "core/async/task/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <optional>

namespace gather::async {

// Keeps itself alive while it is queued or armed.
struct Call::Node final : Ready, Timer {
  Node(Loop& owner, std::move_only_function<void()> what) : loop(owner), callback(std::move(what)) {}

  void run() override {
    const auto keep = std::exchange(self, nullptr);
    if (!callback) return;  // Cancelled while it stood in the queue.
    auto now = std::exchange(callback, nullptr);
    try {
      now();
    } catch (...) {
      loop.complain({"a callback failed", std::current_exception()});
    }
  }
  void on_time() noexcept override { loop.enqueue(*this); }

  Loop& loop;
  std::move_only_function<void()> callback;
  std::shared_ptr<Node> self;
};

void Call::cancel() noexcept {
  if (!node_ || !node_->callback) return;
  node_->callback = nullptr;
  if (!node_->armed()) return;  // Queued: it will run as a no-op.
  node_->loop.disarm(*node_);
  node_->self = nullptr;
}

Loop::Loop() : Loop(make_uv_poller()) {}

Loop::Loop(std::unique_ptr<Poller> poller) : poller_(std::move(poller)) {}

Loop::~Loop() {
  assert(!running_);
  while (!ready_.empty())
    if (auto* const call = dynamic_cast<Call::Node*>(&ready_.pop())) call->self = nullptr;
  while (first_task_ != nullptr) {
    TaskCell& task = *first_task_;
    assert(!task.started_ && "run() ends only when every started task has");
    task.destroy_root();
    forget(task);
  }
  while (Timer* const timer = timers_.pop_due(TimePoint::max()))
    if (auto* const call = dynamic_cast<Call::Node*>(timer)) call->self = nullptr;
}

Call Loop::call_soon(std::move_only_function<void()> callback) {
  auto node = std::make_shared<Call::Node>(*this, std::move(callback));
  node->self = node;
  enqueue(*node);
  return Call(std::move(node));
}

Call Loop::call_later(Duration delay, std::move_only_function<void()> callback) {
  return call_at(now() + std::max(delay, Duration(0)), std::move(callback));
}

Call Loop::call_at(TimePoint when, std::move_only_function<void()> callback) {
  auto node = std::make_shared<Call::Node>(*this, std::move(callback));
  node->self = node;
  arm(*node, when);
  return Call(std::move(node));
}

void Loop::post(std::move_only_function<void()> callback) {
  const std::lock_guard lock(posted_mutex_);
  posted_.push_back(std::move(callback));
  any_posted_.store(true, std::memory_order_release);
  if (posted_.size() == 1) poller_->wake();  // Under the lock: the poller outlives whoever holds it.
}

void Loop::run_posted() {
  if (!any_posted_.load(std::memory_order_acquire)) return;
  std::vector<std::move_only_function<void()>> posted;
  {
    const std::lock_guard lock(posted_mutex_);
    posted.swap(posted_);
    any_posted_.store(false, std::memory_order_relaxed);
  }
  for (auto& callback : posted) call_soon(std::move(callback));
}

std::vector<TaskCell*> Loop::all_tasks() const {
  std::vector<TaskCell*> tasks;
  for (TaskCell* task = first_task_; task != nullptr; task = task->next_in_loop_) tasks.push_back(task);
  return tasks;
}

void Loop::set_exception_handler(std::function<void(const Complaint&)> handler) {
  exception_handler_ = std::move(handler);
}

void Loop::complain(Complaint complaint) noexcept try {
  if (exception_handler_) {
    exception_handler_(complaint);
    return;
  }
  const std::string text = complaint.error
                               ? fmt::format("gather: {}: {}\n", complaint.message, describe(complaint.error))
                               : fmt::format("gather: {}\n", complaint.message);
  std::fputs(text.c_str(), stderr);
} catch (...) {
  // A broken handler must not take the loop with it, and there is nobody left to tell.
}

void Loop::adopt(TaskCell& task) {
  task.previous_in_loop_ = last_task_;
  (last_task_ != nullptr ? last_task_->next_in_loop_ : first_task_) = &task;
  last_task_ = &task;
  enqueue(task);
}

void Loop::forget(TaskCell& task) noexcept {
  (task.previous_in_loop_ != nullptr ? task.previous_in_loop_->next_in_loop_ : first_task_) =
      task.next_in_loop_;
  (task.next_in_loop_ != nullptr ? task.next_in_loop_->previous_in_loop_ : last_task_) =
      task.previous_in_loop_;
  task.release();
}

void Loop::run_until_done(TaskCell& main) {
  assert(!running_ && "a loop can't run inside itself");
  running_ = true;
  try {
    while (!main.done()) pass();
    cancel_leftovers();
  } catch (...) {  // A deadlock: unwind every task in order, or their frames would die in any order.
    cancel_leftovers();
    running_ = false;
    throw;
  }
  running_ = false;
}

void Loop::cancel_leftovers() {
  for (TaskCell* task = first_task_; task != nullptr; task = task->next_in_loop_) task->cancel();
  while (first_task_ != nullptr) pass();
}

void Loop::pass() {
  run_posted();
  if (!ready_.empty())
    poller_->poll();
  else
    poller_->wait(timers_.empty() ? std::nullopt : std::optional(timers_.earliest()));
  const TimePoint time = now();
  while (Timer* const timer = timers_.pop_due(time)) timer->on_time();
  const Ready* const last = ready_.last();
  if (last == nullptr) return;
  for (const Ready* item = nullptr; item != last;) {
    Ready& next = ready_.pop();
    item = &next;
    next.run();  // May delete itself; `item` is compared, not followed.
  }
}

}  // namespace gather::async
