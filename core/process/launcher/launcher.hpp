/// The launcher: the small second process that starts the tasks' processes for gather, and outlives gather
/// long enough to end them. It has no loop of libuv's and no coroutine. See core/README.md,
/// *Processes*.
#pragma once

#include <optional>

namespace gather::process {

/// If `arguments` are those of a launcher, is one, and gives the status to exit with. The program that is to
/// be one calls this first in main, before it has threads, handlers or open files of its own.
std::optional<int> run_as_launcher(int argc, char** argv);

namespace launcher {

/// What a launcher is started with, before the number of the process that started it. Its standard input is
/// its end of the socket, and it holds nothing else of ours.
inline constexpr const char* argument = "--launcher-of";

}  // namespace launcher
}  // namespace gather::process
