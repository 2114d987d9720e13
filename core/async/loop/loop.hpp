/// The event loop: one thread, one ready queue, one queue of timers, and a poller for the world outside.
#pragma once

#include "core/async/loop/poller.hpp"
#include "core/async/task/co.hpp"
#include "core/async/task/future.hpp"
#include "core/async/task/task.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace gather::async {

class StepObserver;
class WatchSet;

/// A callback that was scheduled; counted, and dropping the handle does not cancel it.
class Call {
 public:
  Call() = default;

  /// It will not run; no-op if it has run already, or was cancelled.
  void cancel() noexcept;
  bool cancelled() const noexcept;

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
  std::exception_ptr error{};   ///< May be null.
  std::source_location site{};  ///< Where what it is about was made; line 0 if that is not known.
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
  /// Requires: not running. Tasks that run_until_complete or run_forever left behind are reported, cancelled
  /// and waited for; those that never started are destroyed.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  TimePoint now() const noexcept { return poller_->now(); }

  /// Runs `callback` in the next pass. In debug mode it throws InvalidState on any thread but the loop's;
  /// otherwise that is a data race. So do the next two.
  Call call_soon(std::move_only_function<void()> callback);
  /// Runs it once `delay` has passed; a negative delay is 0. Never early; equal deadlines in order of the
  /// calls.
  Call call_later(Duration delay, std::move_only_function<void()> callback);
  Call call_at(TimePoint when, std::move_only_function<void()> callback);

  /// From any thread: runs `callback` on the loop soon, in order of the posts; under asyncio's name, too. The
  /// only member that other threads may call. What is posted after run() has
  /// returned waits for the next run().
  void post(std::move_only_function<void()> callback);
  void call_soon_threadsafe(std::move_only_function<void()> callback) { post(std::move(callback)); }

  /// Makes a task of a coroutine; its body starts in the next pass. The loop keeps it until it has ended.
  template <class T>
  Task<T> create_task(Co<T> body, std::string_view name = {},
                      std::source_location where = std::source_location::current()) {
    auto* const cell = new TypedCell<T>(*this, std::move(body).release());
    adopt(*cell, name, where);
    enqueue(*cell);
    return Task<T>(*cell);
  }

  /// The same, and runs the body at once, inside the call, up to its first await that suspends (asyncio's
  /// eager_start). One that never suspends is done when this returns, without a trip through the loop.
  /// Requires: inside a task or callback of this loop.
  template <class T>
  Task<T> create_eager_task(Co<T> body, std::string_view name = {},
                            std::source_location where = std::source_location::current()) {
    Task<T> task(*new TypedCell<T>(*this, std::move(body).release()));
    adopt(task.cell(), name, where);
    static_cast<Ready&>(task.cell()).run();
    return task;
  }

  template <class T = void>
  Future<T> create_future() {
    return Future<T>(*CellRef<FutureCell<T>>::adopt(*new FutureCell<T>(*this)));
  }

  /// Runs `body` as the main task, until it is done; then cancels the tasks it left behind, waits for them,
  /// and gives its value or throws what it threw. Cancelled leaves as Cancelled. Can be called again
  /// afterwards.
  ///
  /// Throws InvalidState inside a run of this or another loop on the same thread, and if stop() ended it.
  template <class T>
  T run(Co<T> body) {
    return run_main(std::move(body), true);
  }

  /// The same without cancelling what it left behind: the next run goes on with that.
  template <class T>
  T run_until_complete(Co<T> body) {
    return run_main(std::move(body), false);
  }
  /// Runs until that task or future is done, whatever its outcome.
  void run_until_complete(const AnyFuture& main) {
    check_may_run();
    run_until_done(main.cell(), false);
  }

  /// Cancels every task, and runs until all have ended. Requires: not running.
  void cancel_all_tasks();

  /// Runs until stop().
  void run_forever();
  /// Ends the run after the pass that is under way; before a run, after its first pass.
  void stop() noexcept { stopping_ = true; }
  bool is_running() const noexcept { return running_; }

  /// The loop that this thread is running, null if none.
  static Loop* running() noexcept;

  /// Unfinished tasks, in the order in which they were made.
  std::vector<AnyTask> all_tasks() const;
  /// The task whose step this is; null between steps and in callbacks.
  TaskCell* current_task() const noexcept { return current_; }
  /// How many timers are armed: sleeps, timeouts and calls for later.
  std::size_t timers() const noexcept { return timers_.size(); }
  /// Where the running task or callback keeps its values.
  Context& context() noexcept { return current_ != nullptr ? current_->context() : callback_context_; }

  /// Hears of every Complaint; the default writes one line to stderr. What it throws is dropped.
  void set_exception_handler(std::function<void(const Complaint&)> handler);
  void complain(Complaint complaint) noexcept;

  /// Debug mode reports slow steps, calls from foreign threads, coroutines that were never awaited, tasks
  /// that swallow a cancel, and where a task was made. On from the start if GATHER_DEBUG is set and not 0.
  bool debug() const noexcept { return debug_; }
  void set_debug(bool on) noexcept;
  /// What debug mode calls slow; 100 ms.
  void set_slow_callback_duration(Duration length) noexcept { slow_callback_duration_ = length; }

  /// For awaitables. See Timer and Ready for who owns what.
  void enqueue(Ready& item) noexcept { ready_.push(item); }
  void arm(Timer& timer, TimePoint when) { timers_.insert(timer, when); }
  void disarm(Timer& timer) noexcept { timers_.remove(timer); }
  Poller& poller() noexcept { return *poller_; }
  CallbackId next_callback_id() noexcept { return CallbackId{next_callback_++}; }
  /// For FdWatch. Requires: not virtual.
  WatchSet& watch_set();
  /// What a file keeps per loop: one T, made with the first call by `T(Loop&)`. When the loop closes, after
  /// its tasks have ended, its `close()` is called, the latest first; what must outlive that, such as a
  /// request in flight, shares it.
  template <class T>
  std::shared_ptr<T> service() {
    for (const Service& service : services_)
      if (service.key == &service_key<T>) return std::static_pointer_cast<T>(service.object);
    auto object = std::make_shared<T>(*this);
    services_.push_back({&service_key<T>, object, [](void* it) { static_cast<T*>(it)->close(); }});
    return object;
  }

 private:
  friend class TaskCell;
  class Running;

  struct Service {
    const void* key;
    std::shared_ptr<void> object;
    void (*close)(void*);
  };
  template <class T>
  static constexpr char service_key = 0;  // Its address tells one T from another.

  template <class T>
  T run_main(Co<T> body, bool cancel_the_rest) {
    check_may_run();
    Task<T> main = create_task(std::move(body), "main");
    run_until_done(main.cell(), cancel_the_rest);
    return std::move(main).result();
  }

  void adopt(TaskCell& task, std::string_view name, std::source_location where);
  void forget(TaskCell& task) noexcept;
  void check_may_run() const;
  void check_thread() const;
  void run_until_done(Cell& main, bool cancel_the_rest);
  void cancel_leftovers();
  void close();
  void pass();
  void run_watched(Ready& item);
  void run_posted();
  void wait();
  std::vector<std::move_only_function<void()>> take_posted();

  std::unique_ptr<Poller> poller_;
  ReadyQueue ready_;
  TimerQueue timers_;
  TaskCell* current_ = nullptr;
  TaskCell* first_task_ = nullptr;
  TaskCell* last_task_ = nullptr;
  std::uint32_t next_task_number_ = 1;
  std::uint64_t next_callback_ = 1;
  Context callback_context_;
  bool running_ = false;
  bool stopping_ = false;
  bool debug_ = false;
  bool watches_steps_ = false;  // In debug mode, or for an observer.
  StepObserver* const step_observer_;
  Duration slow_callback_duration_ = std::chrono::milliseconds(100);
  std::thread::id thread_;               // Of the run.
  std::shared_ptr<WatchSet> watch_set_;  // Made with the first use; the type is known to watch.cpp alone.
  std::vector<Service> services_;
  std::function<void(const Complaint&)> exception_handler_;

  std::mutex posted_mutex_;  // Guards posted_ alone: the one thing that other threads touch.
  std::vector<std::move_only_function<void()>> posted_;
  std::vector<std::move_only_function<void()>> emptied_;  // What posted_ was: its memory is used again.
  std::atomic<bool> any_posted_ = false;                  // Spares every pass the lock.
  std::atomic<bool> waits_ = false;  // Or is about to: who posts wakes it. Awake, it needs no system call.
};

}  // namespace gather::async
