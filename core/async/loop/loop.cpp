#include "core/async/loop/loop.hpp"

#include "core/async/loop/running.hpp"
#include "core/async/loop/step_observer.hpp"
#include "core/async/task/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <ranges>
#include <string_view>

namespace gather::async {
namespace {

thread_local Loop* running_loop = nullptr;
thread_local StepObserver* step_observer = nullptr;

bool debug_is_asked_for() noexcept {
  const char* const value = std::getenv("GATHER_DEBUG");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

double in_milliseconds(Duration length) { return std::chrono::duration<double, std::milli>(length).count(); }

}  // namespace

// Keeps itself alive while it is queued or armed.
struct Call::Node final : Ready, Timer {
  Node(Loop& owner, std::move_only_function<void()> what)
      : loop(owner), callback(std::move(what)), context(copy_context()) {}

  void run() override {
    const auto keep = std::exchange(self, nullptr);
    if (!callback) return;  // Cancelled while it stood in the queue.
    auto now = std::exchange(callback, nullptr);
    loop.context() = std::move(context);
    try {
      now();
    } catch (...) {
      loop.complain({"a callback failed", std::current_exception()});
    }
    loop.context() = Context();
  }
  std::string title() const override { return "a callback"; }
  void on_time() noexcept override { loop.enqueue(*this); }

  Loop& loop;
  std::move_only_function<void()> callback;
  Context context;
  std::shared_ptr<Node> self;
  bool was_cancelled = false;
};

void Call::cancel() noexcept {
  if (!node_ || !node_->callback) return;
  node_->callback = nullptr;
  node_->was_cancelled = true;
  if (!node_->armed()) return;  // Queued: it will run as a no-op.
  node_->loop.disarm(*node_);
  node_->self = nullptr;
}

bool Call::cancelled() const noexcept { return node_ && node_->was_cancelled; }

// Marks the loop as running on this thread.
class Loop::Running {
 public:
  explicit Running(Loop& loop) noexcept : loop_(loop) {
    loop_.running_ = true;
    loop_.thread_ = std::this_thread::get_id();
    running_loop = &loop_;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    loop_.running_ = false;
    loop_.stopping_ = false;
    running_loop = nullptr;
  }

 private:
  Loop& loop_;
};

Loop::Loop() : Loop(make_uv_poller()) {}

Loop::Loop(std::unique_ptr<Poller> poller) : poller_(std::move(poller)), step_observer_(step_observer) {
  set_debug(debug_is_asked_for());
}

Loop::~Loop() {
  assert(!running_);
  close();
}

void Loop::close() {
  bool started_tasks = false;
  for (TaskCell* task = first_task_; task != nullptr; task = task->next_in_loop_) {
    if (!task->started_) continue;
    started_tasks = true;
    complain({task->title() + " was still pending when its loop was closed", nullptr, task->created_at()});
  }
  if (started_tasks) {
    const Running running(*this);
    cancel_leftovers();
  }
  // Before what stands in the queue goes: it may be the answer of a thread, which knows who waited for it.
  for (const Service& service : std::views::reverse(services_)) service.close(service.object.get());
  while (!ready_.empty())
    if (auto* const call = dynamic_cast<Call::Node*>(&ready_.pop())) call->self = nullptr;
  while (first_task_ != nullptr) {
    TaskCell& task = *first_task_;
    task.destroy_root();
    forget(task);
  }
  while (Timer* const timer = timers_.pop_due(TimePoint::max()))
    if (auto* const call = dynamic_cast<Call::Node*>(timer)) call->self = nullptr;
  while (any_posted_) take_posted();  // What dies with it may post once more, from other threads too.
}

Call Loop::call_soon(std::move_only_function<void()> callback) {
  if (debug_) check_thread();
  auto node = std::allocate_shared<Call::Node>(FrameAllocator<Call::Node>(), *this, std::move(callback));
  node->self = node;
  enqueue(*node);
  return Call(std::move(node));
}

Call Loop::call_later(Duration delay, std::move_only_function<void()> callback) {
  return call_at(now() + std::max(delay, Duration(0)), std::move(callback));
}

Call Loop::call_at(TimePoint when, std::move_only_function<void()> callback) {
  if (debug_) check_thread();
  auto node = std::allocate_shared<Call::Node>(FrameAllocator<Call::Node>(), *this, std::move(callback));
  node->self = node;
  arm(*node, when);
  return Call(std::move(node));
}

void Loop::check_thread() const {
  if (running_ && std::this_thread::get_id() != thread_)
    throw InvalidState("a call from a thread that is not the loop's; use post() there");
}

void Loop::post(std::move_only_function<void()> callback) {
  const std::lock_guard lock(posted_mutex_);
  posted_.push_back(std::move(callback));
  any_posted_.store(true);
  // Under the lock: the poller outlives whoever holds it. A loop that is awake looks before it waits.
  if (posted_.size() == 1 && waits_.load()) poller_->wake();
}

std::vector<std::move_only_function<void()>> Loop::take_posted() {
  const std::lock_guard lock(posted_mutex_);
  any_posted_.store(false, std::memory_order_relaxed);
  return std::exchange(posted_, std::move(emptied_));
}

void Loop::run_posted() {
  if (!any_posted_.load(std::memory_order_acquire)) return;
  auto taken = take_posted();
  for (auto& callback : taken) call_soon(std::move(callback));
  taken.clear();
  emptied_ = std::move(taken);
}

std::vector<AnyTask> Loop::all_tasks() const {
  std::vector<AnyTask> tasks;
  for (TaskCell* task = first_task_; task != nullptr; task = task->next_in_loop_) tasks.emplace_back(*task);
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
  std::string text = "gather: " + complaint.message;
  if (complaint.error) text += ": " + describe(complaint.error);
  if (complaint.site.line() != 0)
    text += fmt::format(" (made at {}:{})", complaint.site.file_name(), complaint.site.line());
  text += '\n';
  std::fputs(text.c_str(), stderr);
} catch (...) {
  // A broken handler must not take the loop with it, and there is nobody left to tell.
}

void Loop::adopt(TaskCell& task, std::string_view name, std::source_location where) {
  if (!name.empty()) task.set_name(std::string(name));
  if (debug_) {
    check_thread();
    task.extras().created_at = where;
  }
  task.previous_in_loop_ = last_task_;
  (last_task_ != nullptr ? last_task_->next_in_loop_ : first_task_) = &task;
  last_task_ = &task;
}

void Loop::forget(TaskCell& task) noexcept {
  (task.previous_in_loop_ != nullptr ? task.previous_in_loop_->next_in_loop_ : first_task_) =
      task.next_in_loop_;
  (task.next_in_loop_ != nullptr ? task.next_in_loop_->previous_in_loop_ : last_task_) =
      task.previous_in_loop_;
  task.release();
}

Loop* Loop::running() noexcept { return running_loop; }

void Loop::check_may_run() const {
  if (running_) throw InvalidState("the loop is running already");
  if (running_loop != nullptr) throw InvalidState("another loop is running on this thread");
}

void Loop::run_until_done(Cell& main, bool cancel_the_rest) {
  const Running running(*this);
  try {
    while (!main.done()) {
      pass();
      if (stopping_ && !main.done())
        throw InvalidState("the loop was stopped before its main coroutine was done");
    }
  } catch (...) {  // Stopped, or a deadlock: unwind every task in order, or their frames would die in any.
    main.mute();
    cancel_leftovers();
    throw;
  }
  if (cancel_the_rest) cancel_leftovers();
}

void Loop::cancel_all_tasks() {
  if (first_task_ == nullptr) return;
  check_may_run();
  const Running running(*this);
  cancel_leftovers();
}

void Loop::run_forever() {
  check_may_run();
  const Running running(*this);
  do pass();
  while (!stopping_);
}

void Loop::cancel_leftovers() {
  stopping_ = false;
  for (TaskCell* task = first_task_; task != nullptr; task = task->next_in_loop_) task->cancel();
  while (first_task_ != nullptr) pass();
}

void Loop::pass() {
  run_posted();
  if (!ready_.empty() || stopping_)
    poller_->poll();
  else
    wait();
  if (!timers_.empty()) {
    const TimePoint time = now();
    while (Timer* const timer = timers_.pop_due(time)) timer->on_time();
  }
  const Ready* const last = ready_.last();
  if (last == nullptr) return;
  for (const Ready* item = nullptr; item != last;) {
    Ready& next = ready_.pop();
    item = &next;  // Compared, not followed: it may delete itself.
    if (watches_steps_) [[unlikely]]
      run_watched(next);
    else
      next.run();
  }
}

void Loop::wait() {
  // In this order, as post() has it in the other: one of the two sees what the other has done.
  waits_.store(true);
  if (any_posted_.load())
    poller_->poll();
  else
    poller_->wait(timers_.empty() ? std::nullopt : std::optional(timers_.earliest()));
  waits_.store(false, std::memory_order_relaxed);
}

void Loop::set_debug(bool on) noexcept {
  debug_ = on;
  watches_steps_ = debug_ || step_observer_ != nullptr;
}

void Loop::run_watched(Ready& item) {
  if (step_observer_ != nullptr) step_observer_->before_step(*this);
  if (!debug_) {
    item.run();
    return;
  }
  const std::string title = item.title();
  const TimePoint start = now();
  item.run();
  const Duration length = now() - start;
  if (length >= slow_callback_duration_)
    complain({fmt::format("{} held the loop for {:.0f} ms", title, in_milliseconds(length))});
}

StepObserver* install_step_observer(StepObserver* observer) noexcept {
  return std::exchange(step_observer, observer);
}

Loop& get_running_loop() {
  if (running_loop == nullptr) throw InvalidState("no loop is running on this thread");
  return *running_loop;
}

AnyTask current_task() noexcept {
  if (running_loop == nullptr || running_loop->current_task() == nullptr) return {};
  return AnyTask(*running_loop->current_task());
}

void CoPromiseBase::report_never_awaited() const noexcept {
  if (running_loop == nullptr || !running_loop->debug()) return;
  running_loop->complain(
      {fmt::format("the coroutine {} was never awaited", where.function_name()), nullptr, where});
}

}  // namespace gather::async
