/// Op: the base of every awaitable at which a task really parks, and the whole of the cancel protocol.
#pragma once

#include "core/async/task/co.hpp"
#include "core/async/task/task_cell.hpp"

#include <coroutine>
#include <cstdint>
#include <vector>

namespace gather::async {

class Loop;

/// A leaf awaitable. It lives in the frame that awaits it and stands between three parties: the task that
/// parks, the event that completes it, and whoever cancels the task meanwhile.
///
/// A derived class writes
///
///     bool await_ready();                         // True: done already; never parks, delivers no cancel.
///     template <class P> void await_suspend(std::coroutine_handle<P> frame) {
///       if (park(frame)) …register for the event… // False: cancelled before it began; register nothing.
///     }
///     T await_resume() { leave(); return …; }     // leave() throws Cancelled when the task was cancelled.
///
/// and abort() to un-register, and calls complete() when the event comes. Where the event hands something
/// over (a permit, an item), undo() gives it back: a cancel may come after complete() and before the task
/// runs.
///
/// Resumes the task through the ready queue, never inside the call that completes or cancels it.
class Op {
 public:
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  /// Adds the tasks and futures that it waits for, if so: for dumps.
  virtual void targets(std::vector<const Cell*>&) const {}

 protected:
  /// What abort() achieved.
  enum class Abort : std::uint8_t {
    detached,   ///< Un-registered; the event can't come any more.
    forwarded,  ///< Passed on to what it waits for, which will complete it; the outcome is told by that.
    later,      ///< It can't be stopped; complete() will come, and then the task is told.
  };

  Op() = default;
  ~Op() = default;

  /// Parks the task of `frame`. False: a cancel was due and will be thrown by leave() in the loop's next
  /// pass.
  template <class Promise>
  bool park(std::coroutine_handle<Promise> frame) noexcept {
    return park(frame.promise());
  }

  /// The event has come: the task runs in the loop's next pass. Requires: parked, and not completed or
  /// detached.
  void complete() noexcept;

  /// First thing in await_resume. No-op if the op never parked; throws Cancelled if the task was cancelled
  /// meanwhile, after undo() where the event had come first.
  void leave();

  /// Only while parked.
  TaskCell& task() const noexcept { return *task_; }
  bool parked() const noexcept { return stage_ == Stage::parked; }

 private:
  friend class TaskCell;
  enum class Stage : std::uint8_t { idle, parked, completed, aborted };

  virtual Abort abort() noexcept = 0;
  virtual void undo() noexcept {}

  bool park(CoPromiseBase& frame) noexcept;

  TaskCell* task_ = nullptr;
  Stage stage_ = Stage::idle;
};

}  // namespace gather::async
