/// Circles of tasks that need each other.
#pragma once

#include "core/job/model.hpp"

#include <span>
#include <vector>

namespace gather::job {

/// One cycle for each set of tasks that all need each other, in file order: each task needs the next one, and
/// the last one the first, which is the earliest of them in the file. A task that needs itself is not looked
/// at.
///
/// Takes time linear in tasks and needs, and no stack. Source: R. Tarjan, "Depth-first search and linear
/// graph algorithms", SIAM Journal on Computing 1(2), 1972 (strongly connected components), with the
/// recursion unrolled.
std::vector<std::vector<TaskId>> find_cycles(std::span<const Task> tasks);

}  // namespace gather::job
