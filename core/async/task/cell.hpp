/// What a spawned coroutine is to the loop: its control block. Users hold it through Task<T> (task.hpp).
#pragma once

#include "core/async/loop/ready.hpp"
#include "core/async/task/frame.hpp"

#include <coroutine>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gather::async {

class Loop;
class Op;
class TaskCell;

/// Hears of the end of one task, at once and inside it: for this library's own awaitables, which only
/// enqueue. Whoever owns it takes it out again if it dies before the task ends. Users have add_done_callback.
class DoneHook {
 public:
  DoneHook() = default;
  DoneHook(const DoneHook&) = delete;
  DoneHook& operator=(const DoneHook&) = delete;

 protected:
  ~DoneHook() = default;

 private:
  friend class TaskCell;
  virtual void on_done(TaskCell& task) noexcept = 0;
  DoneHook* next_ = nullptr;
};

/// Control block of one task: where it is parked, whether it is to be cancelled, how it ended, who waits for
/// it.
///
/// Counted: the loop holds one reference until it has ended, each Task<T> another, so dropping a handle
/// neither cancels nor loses anything. Touched by the loop's thread alone.
class TaskCell : public Ready, public FrameAllocated {
 public:
  enum class State : std::uint8_t { pending, finished, failed, cancelled };

  Loop& loop() const noexcept { return loop_; }
  State state() const noexcept { return state_; }
  bool done() const noexcept { return state_ != State::pending; }

  /// The name given, or "Task-N" with N counted by the loop from 1.
  std::string name() const;
  void rename(std::string name);

  /// Asks for the task to be cancelled: Cancelled is thrown at the await where it is suspended, in a later
  /// pass. Counted; returns false, and does nothing, once the task is done.
  bool cancel() noexcept;
  int cancelling() const noexcept { return cancel_requests_; }
  /// Whether a request waits for the next await that suspends.
  bool cancel_pending() const noexcept { return must_cancel_; }

  /// Takes one request back and returns how many are left; at 0, one not yet delivered is withdrawn.
  int uncancel() noexcept;

  /// Null unless failed or cancelled. Reading it counts as having retrieved the error.
  std::exception_ptr error() noexcept {
    error_retrieved_ = true;
    return error_;
  }

  /// Calls `callback` in a later pass, once the task is done; in order of registration.
  void add_done_callback(std::move_only_function<void()> callback);

  /// Requires: not done; a hook hangs on one task at a time. Hooks are called in order.
  void add_hook(DoneHook& hook) noexcept;
  void remove_hook(DoneHook& hook) noexcept;

  /// Whatever it will fail with counts as retrieved.
  void mute() noexcept { error_retrieved_ = true; }

  void retain() noexcept { ++references_; }
  void release() noexcept;

 protected:
  TaskCell(Loop& loop, std::coroutine_handle<> root) noexcept;
  virtual ~TaskCell();

  /// Moves the outcome out of the finished root frame: returns the error, or keeps the value and returns
  /// null.
  virtual std::exception_ptr collect() noexcept = 0;
  /// Destroys the root frame, finished or never started.
  virtual void destroy_root() noexcept = 0;

 private:
  friend class Op;
  friend class Loop;

  struct Extras {
    std::string name;
    std::vector<std::move_only_function<void()>> callbacks;
  };

  void run() final;  // One step: until the next await that suspends, or the end.
  void end(State state, std::exception_ptr error) noexcept;
  Extras& extras();

  Loop& loop_;
  std::coroutine_handle<> resume_at_;  // The innermost suspended frame; the root before the first step.
  std::coroutine_handle<> root_;
  Op* op_ = nullptr;  // What it is parked on.
  DoneHook* first_hook_ = nullptr;
  std::exception_ptr error_;
  std::unique_ptr<Extras> extras_;  // Most tasks have neither a name nor callbacks.
  TaskCell* next_in_loop_ = nullptr;
  TaskCell* previous_in_loop_ = nullptr;
  std::uint64_t number_;
  std::uint32_t references_ = 1;
  int cancel_requests_ = 0;
  State state_ = State::pending;
  bool started_ = false;
  bool must_cancel_ = false;  // A request that no await has delivered yet.
  bool error_retrieved_ = false;
};

}  // namespace gather::async
