/// Reading `tasks`, one by one, over `defaults`. Only core/job/check and stencil.cpp include this.
#pragma once

#include "core/job/check/check.hpp"

#include <cstddef>
#include <memory>

namespace gather::job {

/// `defaults`, as values: they are read again over each new task, so that one piece of code reads both.
struct Defaults {
  Value map;    ///< None without `defaults`, or while they have errors of their own.
  Value fetch;  ///< Their `fetch`: a mapping of fetch keys.
  Value retry;
  Value needs;
};

/// Reads tasks into what the job says of them.
class TasksReader {
 public:
  /// `map` is `defaults`, or none; they are looked through here, for `tasks` tasks. Without `lines` a task's
  /// position stays unknown. All of them outlive this.
  TasksReader(Reader& reader, const Lines* lines, Value map, std::size_t tasks);

  /// Fills in all but what concerns other tasks, and `place`, for the check of that.
  Task read(Member member, TaskPlace& place);

 private:
  static constexpr int usual_fetch_attempts = 4;

  void report_no_task(Member member);
  void finish(TaskDraft& draft, TaskPlace& place);

  Reader& reader_;
  const Lines* lines_;
  Findings unheard_;
  Reader silent_{unheard_};  ///< Reads `defaults` again: they have no errors by then, but may have warnings.
  Defaults defaults_;
  RetryPolicies policies_;
  std::shared_ptr<const RetryPolicy> default_retry_;
  std::shared_ptr<const RetryPolicy> default_fetch_retry_;
};

/// Reads one task once more, when its templates have been filled in: all but its position, and what concerns
/// other tasks.
Task check_task_again(Member member, Value defaults, Findings& findings);

}  // namespace gather::job
