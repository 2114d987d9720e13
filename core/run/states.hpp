/// The one function through which a task changes state.
#pragma once

#include "core/run/record.hpp"

namespace gather::run {

/// Moves `task` to `next`. A move that the table in core/README.md, "Task states", does not have is a bug,
/// and asserts.
void transition(TaskRecord& task, State next);

/// "failed", "was skipped", …: what became of a task that others needed.
std::string_view verb(State state);

}  // namespace gather::run
