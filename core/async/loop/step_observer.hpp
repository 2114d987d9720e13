/// A look at a loop between its steps, for tests that disturb a program at every point where it can be
/// disturbed.
#pragma once

namespace gather::async {

class Loop;

/// Called before each step and callback of the loops that are made on a thread while it is installed there.
/// It may cancel tasks. Must outlive those loops.
class StepObserver {
 public:
  StepObserver(const StepObserver&) = delete;
  StepObserver& operator=(const StepObserver&) = delete;

  virtual void before_step(Loop& loop) = 0;

 protected:
  StepObserver() = default;
  ~StepObserver() = default;
};

/// Installs `observer` on this thread, null for none; gives the one before.
StepObserver* install_step_observer(StepObserver* observer) noexcept;

}  // namespace gather::async
