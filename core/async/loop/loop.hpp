/// The event loop: one thread, one ready queue, one timer heap, and a poller for the world outside.
#pragma once

#include "core/async/loop/poller.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/task.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gather::async {

class WatchSet;

/// A callback that was scheduled; counted, and dropping the handle does not cancel it.
class Call {
 public:
  Call() = default;

  /// It will not run; no-op if it has run already, or was cancelled.
  void cancel() noexcept;

 private:
  friend class Loop;
  struct Node;
  explicit Call(std::shared_ptr<Node> node) noexcept : node_(std::move(node)) {}
  std::shared_ptr<Node> node_;
};

/// Something went wrong where nobody could be told: in a callback, or in a task whose result nobody asked
/// for.
struct Complaint {
  std::string message;
  std::exception_ptr error;  ///< May be null.
};

/// Runs coroutines, callbacks and timers, all on the thread that calls run(). See core/README.md, "The loop".
///
/// A pass asks the poller, with a wait only if nothing is ready; lets timers that are due enqueue; and then
/// runs exactly what is ready, in FIFO order. What is enqueued meanwhile runs in the next pass, so that
/// neither a callback that re-schedules itself nor a chain of tasks starves I/O.
class Loop {
 public:
  /// On the real clock and libuv. Throws gather::Error if that can't be opened.
  Loop();
  /// On any other poller; tests and `simulate` pass make_virtual_poller().
  explicit Loop(std::unique_ptr<Poller> poller);
  /// Requires: not running. Tasks that were never started are destroyed.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  TimePoint now() const noexcept { return poller_->now(); }

  /// Runs `callback` in the next pass.
  Call call_soon(std::move_only_function<void()> callback);
  /// Runs it once `delay` has passed; a negative delay is 0. Never early; equal deadlines in order of the
  /// calls.
  Call call_later(Duration delay, std::move_only_function<void()> callback);
  Call call_at(TimePoint when, std::move_only_function<void()> callback);

  /// From any thread: runs `callback` on the loop soon, in order of the posts. The only member that other
  /// threads may call. What is posted after run() has returned waits for the next run().
  void post(std::move_only_function<void()> callback);

  /// Makes a task of a coroutine; its body starts in the next pass. The loop keeps it until it has ended.
  template <class T>
  Task<T> create_task(Co<T> body, std::string name = {}) {
    auto* const cell = new TypedCell<T>(*this, std::move(body).release());
    if (!name.empty()) cell->rename(std::move(name));
    adopt(*cell);
    return Task<T>(*cell);
  }

  /// Runs `body` as the main task, until it is done; then cancels the tasks it left behind, waits for them,
  /// and gives its value or throws what it threw. Cancelled leaves as Cancelled. Can be called again
  /// afterwards.
  ///
  /// Requires: not inside a run().
  template <class T>
  T run(Co<T> body) {
    Task<T> main = create_task(std::move(body), "main");
    run_until_done(main.cell());
    return std::move(main).result();
  }

  /// Unfinished tasks, in the order in which they were made.
  std::vector<TaskCell*> all_tasks() const;
  /// The task whose step this is; null between steps and in callbacks.
  TaskCell* current_task() const noexcept { return current_; }

  /// Hears of every Complaint; the default writes one line to stderr. What it throws is dropped.
  void set_exception_handler(std::function<void(const Complaint&)> handler);
  void complain(Complaint complaint) noexcept;

  /// For awaitables. See Timer and Ready for who owns what.
  void enqueue(Ready& item) noexcept { ready_.push(item); }
  void arm(Timer& timer, TimePoint when) { timers_.insert(timer, when); }
  void disarm(Timer& timer) noexcept { timers_.remove(timer); }
  Poller& poller() noexcept { return *poller_; }
  /// For FdWatch. Requires: not virtual.
  WatchSet& watch_set();

 private:
  friend class TaskCell;

  void adopt(TaskCell& task);
  void forget(TaskCell& task) noexcept;
  void run_until_done(TaskCell& main);
  void cancel_leftovers();
  void pass();
  void run_posted();

  std::unique_ptr<Poller> poller_;
  ReadyQueue ready_;
  TimerHeap timers_;
  TaskCell* current_ = nullptr;
  TaskCell* first_task_ = nullptr;
  TaskCell* last_task_ = nullptr;
  std::uint64_t next_task_number_ = 1;
  bool running_ = false;
  std::shared_ptr<WatchSet> watch_set_;  // Its type is known to watch.cpp alone.
  std::function<void(const Complaint&)> exception_handler_;

  std::mutex posted_mutex_;  // Guards posted_ alone: the one thing that other threads touch.
  std::vector<std::move_only_function<void()>> posted_;
  std::atomic<bool> any_posted_ = false;  // Spares every pass the lock.
};

}  // namespace gather::async
