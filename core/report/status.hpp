/// What runs now, for whoever asks with SIGUSR1.
#pragma once

#include "core/job/model.hpp"
#include "core/report/running.hpp"
#include "core/run/live_output.hpp"
#include "core/run/observer.hpp"

#include <functional>
#include <string>

namespace gather::report {

/// Gives the end of what the running attempt of a task has written to a stream so far.
using LastOutput = std::function<void(job::TaskId, run::Stream, const run::Output::Sink&)>;

/// "[12/58] 2 running", then a line for each that runs: for how long, its name, what it does, and the last
/// lines of each of its streams. At most forty are told, longest first.
std::string status(const job::Job& job, const Running& running, Duration now, const LastOutput& last_output);

}  // namespace gather::report
