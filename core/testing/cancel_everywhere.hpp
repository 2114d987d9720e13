/// Cancelling a program at every point where it can be cancelled, one run for each.
#pragma once

#include <cstddef>
#include <functional>

namespace gather::testing {

/// Runs `program`, which makes a loop and runs it (by async::run, say), again and again. The n-th run has its
/// main task cancelled before the n-th step of the loop: when tasks are parked, and when what they wait for
/// has come and they have not run yet. Points beyond `most` are taken at even distances. Gives the number of
/// runs.
///
/// `program` may end in any way but with an error: by itself, or with Cancelled. Each run must leave this
/// process as it found it. Throws TestFailure, naming the point, if a run leaves an open descriptor or a
/// child; tasks and handles that are left abort, and lost bytes are for a sanitizer to find. Throws what
/// `program` throws.
std::size_t cancel_everywhere(const std::function<void()>& program, std::size_t most = 100);

}  // namespace gather::testing
