/// Time that counts on no loop's clock: while this process was stopped, and went on later.
#pragma once

#include "core/base/duration.hpp"

namespace gather::async {

/// Takes `length`, which has just passed, out of the real clock of every loop of this process: what was due
/// in a second is due in a second. Virtual clocks know no such thing. For who stops the process on purpose
/// (SIGTSTP) and goes on after it.
void exclude_from_clocks(Duration length) noexcept;

}  // namespace gather::async
