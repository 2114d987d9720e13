/// From a document to a job: what each key means, and everything that can be wrong with it. Knows no parser.
#pragma once

#include "core/job/check/schema.hpp"
#include "core/job/document/document.hpp"
#include "core/job/document/problem.hpp"
#include "core/job/model.hpp"
#include "core/job/templates/stencil.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// Reads the job in `root` (none for an empty file). All problems go into `findings`; with any error among
/// them the job is incomplete and not to be used.
/// `file` is where `root` comes from, for tasks that wait for results; null if there are no templates.
Job check(Value root, const Source& source, const Lines& lines, Findings& findings,
          const std::shared_ptr<FilledFile>& file = nullptr);

// What follows is shared between the files of the check.

/// A task while it is read.
struct TaskDraft {
  Task task;
  Member action;  ///< The first one, `key: value`; none for a milestone.
  Value needs;
  Value retry;
  Value stdin_key;  ///< Not that of `defaults`.
  Value tty_key;    // These three as well.
  Value leave_key;
  Value isolate_key;
  Value stdin_task;  ///< Whose output is read.
  Value outputs;
  Value pool;
  Value weight;
  Value fetch;               ///< For `defaults` alone.
  bool is_defaults = false;  ///< `defaults` are read, not a task.
};

/// The keys of a task.
std::span<const Key<TaskDraft>> task_keys();

/// Makes retry policies, and lets tasks that say the same share one.
class RetryPolicies {
 public:
  /// `over` is read over `base`; either may be none. `usual_attempts` holds where neither gives a number.
  std::shared_ptr<const RetryPolicy> read(Reader& reader, Value base, Value over, int usual_attempts);

 private:
  std::vector<std::shared_ptr<const RetryPolicy>> made_;
};

/// Reads `fetch: URL` or `fetch: {…}`, over the keys of `base` (may be none).
std::unique_ptr<const Fetch> read_fetch(Reader& reader, Value base, Value value);
/// The same for `defaults.fetch`, which is only looked through.
void check_fetch_defaults(Reader& reader, Value map);

/// `stdin`, into `draft`; one that names a task is filled in by check_references.
void read_stdin(Reader& reader, Member member, TaskDraft& draft);

/// `outputs`, of a task whose action has been read.
void read_outputs(Reader& reader, Value map, Task& task);

/// Environment variables: names and texts. One that is there already gets the new value.
void read_env(Reader& reader, Value map, std::vector<NameValue>& env);

/// `limits.hosts`: patterns, and what holds for each.
void read_hosts(Reader& reader, Value map, std::vector<HostLimit>& hosts);

/// `limits.pools`: names and sizes.
void read_pools(Reader& reader, Value map, std::vector<Pool>& pools);

/// Where a task stands in the document, for errors that concern several tasks.
struct TaskPlace {
  Value key;
  Member action;
  Value needs;
  bool needs_are_defaults = false;
  Value stdin_task;
  Value pool;
  Value weight;
  bool pool_is_default = false;
  bool weight_is_default = false;
  bool late = false;  ///< Something in it is known only later; see Value::late.
};

/// Fills in the pools of every task, and finds unknown ones, repetitions, and more units than a pool has.
void check_pools(Reader& reader, std::span<const TaskPlace> places, Job& job);

/// Fills in `needs` of every task and what reads a task's output or result, and finds unknown ones,
/// repetitions, cycles, and files that two tasks write.
void check_references(Reader& reader, std::span<const TaskPlace> places, Job& job);

}  // namespace gather::job
