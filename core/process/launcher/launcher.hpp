/// The launcher: the small second process that starts the tasks' processes for gather, and outlives gather
/// long enough to end them. It has no loop of libuv's, no thread and no coroutine. See core/README.md,
/// *Processes*.
#pragma once

#include "core/async/io/start_error.hpp"
#include "core/process/descriptor.hpp"

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>
#include <utility>

namespace gather::process {

/// If `arguments` are those of a launcher, is one, and gives the status to exit with. The program that is to
/// be one calls this first in main, before it has threads, handlers or open files of its own.
std::optional<int> run_as_launcher(int argc, char** argv);

namespace launcher {

/// A launcher that was started: our child, in a session of its own.
struct Started {
  pid_t pid = -1;
  Descriptor pidfd;   ///< Readable once it has ended.
  Descriptor socket;  ///< Our end; the launcher ends its children when it closes.
};

/// Starts `program` as a launcher. It holds nothing of ours but its end of the socket.
std::expected<Started, async::StartError> start(const std::string& program);

}  // namespace launcher
}  // namespace gather::process
