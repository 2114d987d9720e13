/// Why a child could not be started, told for a person: which of many things was missing, and what to do.
#pragma once

#include <cstdint>
#include <string>

namespace gather::async {

struct ChildSpec;

/// What was in the way. Scripts and retry rules tell them apart; people read StartError::why.
enum class StartFailure : std::uint8_t {
  not_found,           ///< No such program, neither at its path nor anywhere in PATH.
  not_executable,      ///< It is there, and may not be executed.
  is_directory,        ///< It is a directory.
  no_interpreter,      ///< A script whose `#!` line is missing or names what is not there.
  wrong_format,        ///< A program, and not for this machine.
  bad_directory,       ///< The working directory can't be entered; the program may be fine.
  too_long,            ///< Arguments and environment are more than the kernel takes.
  too_many_processes,  ///< Temporary.
  too_many_files,      ///< Temporary.
  busy,                ///< Temporary: the program's file is being written.
  other,
};

struct StartError {
  StartFailure kind = StartFailure::other;
  std::string why;  ///< A sentence without its full stop: what is wrong, with what, and what would mend it.
  int code = 0;     ///< The errno value that it was made of.

  /// Whether the same start may well succeed in a moment.
  bool temporary() const noexcept {
    return kind == StartFailure::too_many_processes || kind == StartFailure::too_many_files ||
           kind == StartFailure::busy;
  }
};

/// How far a start came.
enum class StartStep : std::uint8_t { process, session, streams, directory, program };

/// What `error` (an errno value) at `step` means. Looks at the file system again, so it is slow and may be
/// overtaken by whoever changes that meanwhile; it never fails.
StartError explain_start(const ChildSpec& spec, StartStep step, int error);

/// What pipe2 and the like failed with, before there was a child.
StartError explain_descriptors(int error);

}  // namespace gather::async
