/// What a task waited for, as far as its record tells: the beginning of blame.
#pragma once

#include "core/base/duration.hpp"
#include "core/run/record.hpp"

#include <optional>

namespace gather::analyse {

/// From the start of the run to the task's last start, in parts; what is not known is not set.
struct Waits {
  std::optional<Duration> dependency;  ///< Until the last of its needs had ended; 0 without needs.
  std::optional<Duration> delay;       ///< From then until only a slot was missing.
  std::optional<Duration> slot;        ///< From then until its first attempt.
  Duration retry{};                    ///< Between attempts: back-off, and the slot for the next one.
};

/// Requires: `task` is of `record`.
Waits waits(const run::Record& record, const run::TaskRecord& task);

}  // namespace gather::analyse
