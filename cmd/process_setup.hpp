/// The process that we find ourselves in, made fit: standard streams, SIGPIPE.
#pragma once

#include "core/base/error.hpp"

namespace gather::cmd {

/// First thing in main. Opens descriptors 0 to 2 where they are closed, so that no socket becomes one of them
/// (writing to such a stdout fails, as it should), and ignores SIGPIPE, so that a reader who leaves is an
/// error we can act on.
void set_up_process();

/// Prints what stopped the program to stderr: a rendered job file as it is, anything else after "gather: ".
void explain(const Error& error);

}  // namespace gather::cmd
