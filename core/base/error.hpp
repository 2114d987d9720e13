/// What stops the program, as opposed to what fails a task: one exception type that carries the
/// exit status and a sentence written for a person.
#pragma once

#include <stdexcept>
#include <string>

namespace gather {

/// How the program ends; the numbers are a contract with scripts (`gather help exit-status`).
enum class ExitStatus : int {
  success = 0,
  task_failed = 1,  ///< Also: local I/O such as a full disk, or a requested report that could not be written.
  usage = 2,        ///< A flag or the job file is wrong; nothing was started.
  checksum = 3,
  nothing_selected = 4,
  outstanding = 5,
  bug = 70,
  deadline = 124,
  hung_up = 129,
  interrupted = 130,
  stdout_gone = 141,
  terminated = 143,
};

/// Stops the program with `status`; `what()` says what is wrong, where, and how to mend it.
///
/// A text that ends in a newline is complete, lines and all (a job file's problems); any other is one
/// sentence.
///
/// Thrown for a bad flag, a bad job file or a loop that can't start, never because of a task (a
/// failing task is a value, run::Outcome). `cmd`'s main alone catches it.
class Error : public std::runtime_error {
 public:
  Error(ExitStatus status, const std::string& sentence) : std::runtime_error(sentence), status_(status) {}

  ExitStatus status() const noexcept { return status_; }

 private:
  ExitStatus status_;
};

/// The text of the operating system for `error` (an errno value), e.g. "No such file or directory".
std::string system_error_text(int error);

}  // namespace gather
