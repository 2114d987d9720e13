/// One program that has the terminal: in this process's own group, with the terminal as its streams. What it
/// leaves changed is put back.
#pragma once

#include "core/process/run_process.hpp"

#include <expected>

namespace gather::process {

/// Runs `spec` with the terminal as every stream that is not given (below 0), and gives how it ended or why
/// it could not be started: there is no terminal, or this process is not in its foreground. Nothing of it is
/// captured. Neither a session nor a group is made, so that what is typed, Ctrl-C and Ctrl-Z reach it as
/// they reach us.
///
/// When it has ended, the terminal's modes and its foreground group are what they were. What it has started
/// gets `leak_timeout`, and is killed. `spared` are children of this process that are somebody else's.
///
/// Cancelled: it and what descends from it get the polite signal, and SIGKILL after `grace`, or at a second
/// cancel. Cancelled is thrown when it has been reaped.
///
/// It is a child of this process, which must be the only one of its kind at a time. Should this process be
/// killed, it dies as well, but not what it has started.
async::Co<std::expected<Exit, async::StartError>> run_in_foreground(async::ChildSpec spec,
                                                                    const StopPolicy& policy,
                                                                    ProcessResult& result,
                                                                    const std::function<bool(pid_t)>& spared);

}  // namespace gather::process
