/// What a spawned coroutine is to the loop: its control block. Users hold it through Task<T> (task.hpp).
#pragma once

#include "core/async/task/cell.hpp"
#include "core/async/task/frame.hpp"

#include <cstdint>
#include <source_location>
#include <string>

namespace gather::async {

class CoPromiseBase;
class Op;

/// Control block of one task: where it is parked, whether it is to be cancelled, how it ended, who waits for
/// it.
///
/// The loop holds one reference until it has ended, each Task<T> another, so dropping a handle neither
/// cancels nor loses anything.
class TaskCell : public Cell, public FrameAllocated {
 public:
  /// The name given, or "Task-N" with N counted by the loop from 1.
  std::string name() const;
  void set_name(std::string name);
  std::string title() const override;

  /// Asks for the task to be cancelled: Cancelled is thrown at the await where it is suspended, in a later
  /// pass. Counted; returns false, and does nothing, once the task is done.
  bool cancel() noexcept final;
  int cancelling() const noexcept { return cancel_requests_; }
  /// Whether a request waits for the next await that suspends.
  bool cancel_pending() const noexcept { return must_cancel_; }

  /// Takes one request back and returns how many are left; at 0, one not yet delivered is withdrawn.
  int uncancel() noexcept;

  /// Its own values: a copy of its maker's at first.
  Context& context() noexcept { return context_; }

  bool started() const noexcept { return started_; }
  /// The frame that is suspended, from which `awaiter` leads outwards; null once the task has ended, and
  /// while it runs.
  const CoPromiseBase* innermost() const noexcept;
  /// What it is parked on, null if it is not.
  const Op* parked_on() const noexcept;
  /// Where it was made; known in debug mode alone.
  std::source_location created_at() const noexcept;

 protected:
  TaskCell(Loop& loop, CoPromiseBase& root) noexcept;
  ~TaskCell() override { report_unretrieved(); }

  /// The root's promise, before it is started and when it has finished.
  CoPromiseBase& root() noexcept { return *resume_at_; }
  /// Moves the outcome out of the finished root frame: returns the error, or keeps the value and returns
  /// null.
  virtual std::exception_ptr collect() noexcept = 0;
  /// Destroys the root frame, finished or never started.
  virtual void destroy_root() noexcept = 0;

 private:
  friend class CoPromiseBase;
  friend class Loop;
  friend class Op;

  void run() final;  // One step: until the next await that suspends, or the end.
  void finish(State state, std::exception_ptr error) noexcept;

  CoPromiseBase* resume_at_;  // The innermost frame; the root before the first step and after the last.
  Op* op_ = nullptr;          // What it is parked on.
  Context context_;
  TaskCell* next_in_loop_ = nullptr;
  TaskCell* previous_in_loop_ = nullptr;
  std::uint32_t number_;
  int cancel_requests_ = 0;
  // Bits, so that a cell without a value fits into two cache lines.
  bool started_ : 1 = false;
  bool root_ended_ : 1 = false;
  bool must_cancel_ : 1 = false;  // A request that no await has delivered yet.
};

}  // namespace gather::async
