/// How late the loop's own timers are: the measure of how far its figures can be trusted.
#pragma once

#include "core/async/task/co.hpp"
#include "core/run/record.hpp"

#include <vector>

namespace gather::run {

/// Sleeps again and again and notes how late it wakes. Ten samples a second, and one early for short runs.
class LagProbe {
 public:
  /// Runs until it is cancelled.
  async::Co<> watch();

  LoopLag summary() const;

 private:
  std::vector<Duration> lateness_;
};

}  // namespace gather::run
