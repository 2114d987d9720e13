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
  std::optional<Duration> slot;        ///< Then, before each attempt, until there was a slot of its kind.
  std::optional<Duration> host;        ///< Likewise until its host had a place, or opened again.
  std::optional<Duration> rate;        ///< Likewise until its host's rate allowed a start.
  std::optional<Duration> pool;        ///< Likewise until its pools had what it takes of them.
  Duration retry{};                    ///< Back-off between attempts.
};

/// Requires: `task` is of `record`.
Waits waits(const run::Record& record, const run::TaskRecord& task);

}  // namespace gather::analyse
