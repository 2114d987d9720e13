#include "core/testing/cancel_everywhere.hpp"

#include "core/async/loop/loop.hpp"
#include "core/async/loop/step_observer.hpp"
#include "core/async/task/error.hpp"
#include "core/testing/test_loop.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <limits>

namespace gather::testing {
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

// Cancels what runs as "main" before a certain step.
class CancelAt final : public async::StepObserver {
 public:
  explicit CancelAt(std::size_t step) noexcept : step_(step), before_(async::install_step_observer(this)) {}
  ~CancelAt() { async::install_step_observer(before_); }

  std::size_t steps() const noexcept { return steps_; }

 private:
  void before_step(async::Loop& loop) override {
    if (steps_++ != step_) return;
    for (const async::AnyTask& task : loop.all_tasks())
      if (task.name() == "main") task.cancel();
  }

  std::size_t step_;
  std::size_t steps_ = 0;
  async::StepObserver* before_;
};

// Runs it, and gives the number of its steps.
std::size_t run_cancelled_at(const std::function<void()>& program, std::size_t step) {
  const CancelAt observer(step);
  try {
    program();
  } catch (const async::Cancelled&) {
  }
  return observer.steps();
}

std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

bool has_child() { return waitid(P_ALL, 0, nullptr, WEXITED | WNOHANG | WNOWAIT) == 0; }

}  // namespace

std::size_t cancel_everywhere(const std::function<void()>& program, std::size_t most) {
  std::size_t steps = run_cancelled_at(program, never);  // Also loads and opens what stays for ever.
  const std::size_t in_a_row = std::min(steps, most / 2);
  const std::size_t stride =
      std::max<std::size_t>(1, (steps - in_a_row) / std::max<std::size_t>(1, most - in_a_row));
  const std::ptrdiff_t descriptors = open_descriptors();
  std::size_t runs = 0;
  for (std::size_t step = 0; step < steps; ++runs) {
    const std::size_t taken = run_cancelled_at(program, step);
    if (open_descriptors() != descriptors)
      throw TestFailure(fmt::format("cancelled before step {}, the program left {} descriptors open", step,
                                    open_descriptors() - descriptors));
    if (has_child())
      throw TestFailure(fmt::format("cancelled before step {}, the program left a child", step));
    // A run that was not reached by its cancel tells how long it is now; clocks and the kernel have their
    // say.
    if (taken <= step) steps = std::min(steps, taken);
    step += step < in_a_row ? 1 : stride;
  }
  return runs;
}

}  // namespace gather::testing
