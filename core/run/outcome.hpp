/// How an attempt at a task ends: one variant that lists every ending.
#pragma once

#include "core/base/duration.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace gather::run {

struct Passed {};

/// The process ended with a code other than 0.
struct Exited {
  int code = 0;
};

/// The process was ended by a signal that was not ours.
struct Signalled {
  int number = 0;
  bool core_dumped = false;
};

/// The attempt's own time limit passed; it was stopped.
struct TimedOut {
  Duration limit{};
  bool killed = false;  ///< It outlived its grace and was killed.
};

/// The process could not be started; `why` names what was missing.
struct NotStarted {
  std::string why;
};

/// The server answered, with a status that was not expected.
struct UnexpectedStatus {
  int status = 0;
  std::string detail = {};                   ///< First line of the answer's body, inert; may be empty.
  std::optional<Duration> retry_after = {};  ///< What the server asked for.
};

/// No whole answer came: name, connection, TLS, time, length.
struct TransferFailed {
  std::string kind;  ///< dns, connect, tls, timeout, truncated, too-large, redirect, protocol, host-closed
  std::string why;
  bool passing = true;  ///< May go well another time; a wrong certificate or a redirect loop will not.
};

/// The kind of a TransferFailed that stands for a request which was never made: its host wants to be left
/// alone.
inline constexpr std::string_view host_closed = "host-closed";

/// The longest Retry-After that is waited for; a server that asks for more has failed the task.
inline constexpr Duration longest_retry_after = std::chrono::seconds(120);

/// A whole answer came, and it was not the one wanted.
struct ChecksumMismatch {
  std::string expected;
  std::string actual;
};

/// A whole answer came, and its headers or body are not what the task expects.
struct NotAsExpected {
  std::string why;
};

/// Something here, not there: a file that can't be written, a full disk. Never retried.
struct LocalFailure {
  std::string why;
};

/// It was stopped from outside: by a signal, a deadline, or the failure policy.
struct Stopped {
  std::string why;      ///< "interrupted", "the run's deadline passed", "build failed" …
  bool killed = false;  ///< It outlived its grace and was killed.
};

using Outcome = std::variant<Passed, Exited, Signalled, TimedOut, NotStarted, UnexpectedStatus,
                             TransferFailed, ChecksumMismatch, NotAsExpected, LocalFailure, Stopped>;

/// In words, for people: "exit status 3", "killed by SIGSEGV (core dumped)", "timed out after 2 s".
std::string describe(const Outcome& outcome);

inline bool passed(const Outcome& outcome) { return std::holds_alternative<Passed>(outcome); }

}  // namespace gather::run
