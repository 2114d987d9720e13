#include "core/job/check/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace gather::job {
namespace {

/// What filling `defaults` into every task may add up to: a small hostile file must not take all memory.
constexpr std::uint64_t largest_filled_defaults = 4'000'000'000;

std::uint64_t weight(Value value) {  // Recursion is safe: a document is at most `deepest` levels deep.
  if (value.is_scalar()) return 32 + value.text().size();
  std::uint64_t sum = 32;
  for (Value child = value.first(); child; child = child.next()) sum += weight(child);
  return sum;
}

bool is_id(std::string_view id) {
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  return !id.empty() && letter(static_cast<unsigned char>(id[0])) &&
         std::ranges::all_of(
             id, [&](unsigned char c) { return letter(c) || std::isdigit(c) != 0 || c == '.' || c == '-'; });
}

/// Of `tty`, `leave` and `isolate` a task has one at most.
void check_company(Reader& reader, const TaskDraft& draft) {
  const auto refuse = [&](bool both, Value one, Value other, const char* why) {
    if (both) reader.error(one ? one : other, why, "remove one of the two");
  };
  const Task& task = draft.task;
  refuse(task.tty && task.leave, draft.leave_key, draft.tty_key,
         "a task that has the terminal (`tty`) leaves nothing running");
  refuse(task.tty && task.isolate, draft.isolate_key, draft.tty_key,
         "a task that has the terminal (`tty`) can't have a PID namespace");
  refuse(task.leave && task.isolate, draft.isolate_key, draft.leave_key,
         "a PID namespace ends with its task, so that nothing can be left (`leave`)");
}

Defaults read_defaults(Reader& reader, Value map, std::size_t tasks) {
  if (!map) return {};
  Findings& findings = reader.findings();
  const std::size_t before = findings.errors();
  TaskDraft draft;
  draft.is_defaults = true;
  reader.keys(map, task_keys(), draft);
  check_company(reader, draft);
  if (draft.fetch) check_fetch_defaults(reader, draft.fetch);
  if (draft.retry) RetryPolicies().read(reader, {}, draft.retry, 1);
  if (weight(map) * tasks > largest_filled_defaults)
    reader.error(map, "`defaults` are too large to be filled into so many tasks",
                 "write large values where they are needed");
  if (findings.errors() != before) return {};
  return {map, draft.fetch, draft.retry, draft.needs};
}

}  // namespace

TasksReader::TasksReader(Reader& reader, const Lines* lines, Value map, std::size_t tasks)
    : reader_(reader), lines_(lines), defaults_(read_defaults(reader, map, tasks)) {
  default_retry_ = policies_.read(silent_, {}, defaults_.retry, 1);
  default_fetch_retry_ = policies_.read(silent_, {}, defaults_.retry, usual_fetch_attempts);
}

Task TasksReader::read(Member member, TaskPlace& place) {
  TaskDraft draft;
  draft.task.id = member.key.text();
  if (lines_ != nullptr) draft.task.position = lines_->locate(member.key.extent().begin);
  if (!is_id(draft.task.id))
    reader_.error(member.key, fmt::format("{} is no task id", code(draft.task.id)),
                  "an id is letters, digits, `_`, `.` and `-`, and begins with a letter or `_`");
  place.key = member.key;
  if (defaults_.map) {
    draft.is_defaults = true;
    silent_.keys(defaults_.map, task_keys(), draft);
    draft.is_defaults = false;
    draft.needs = draft.retry = draft.tty_key = draft.leave_key = draft.isolate_key = Value();
  }
  reader_.forget_late();
  const Value default_pool = std::exchange(draft.pool, Value());
  const Value default_weight = std::exchange(draft.weight, Value());
  if (!member.value.is_map())
    report_no_task(member);
  else
    reader_.keys(member.value, task_keys(), draft);
  place.pool_is_default = !draft.pool;
  place.weight_is_default = !draft.weight;
  place.pool = draft.pool ? draft.pool : default_pool;
  place.weight = draft.weight ? draft.weight : default_weight;
  finish(draft, place);
  place.late = reader_.met_late();
  return std::move(draft.task);
}

void TasksReader::report_no_task(Member member) {
  const std::string id(member.key.text());
  const std::string example =
      fmt::format("as in {}, or {} for a milestone", code(id + ": {run: [make]}"), code(id + ": {}"));
  if (member.value.absent())
    reader_.error(member.key, fmt::format("task {} is empty", code(id)), example);
  else
    reader_.is_map(member.value, example);
}

void TasksReader::finish(TaskDraft& draft, TaskPlace& place) {
  place.action = draft.action;
  place.needs = draft.needs ? draft.needs : defaults_.needs;
  place.needs_are_defaults = !draft.needs;
  place.stdin_task = draft.stdin_task;
  const std::string_view action = draft.action.key ? draft.action.key.text() : "";
  if (action != "run" && action != "shell") {
    draft.task.input = nullptr;
    const auto refuse = [&](Value key, bool wanted, const char* why) {
      if (key && wanted) reader_.error(key, why, "remove it, or give the task a `run` or `shell`");
    };
    refuse(draft.tty_key, draft.task.tty, "only a process can have the terminal");
    refuse(draft.leave_key, draft.task.leave, "only a process can leave another one running");
    refuse(draft.isolate_key, draft.task.isolate, "only a process can have a PID namespace");
    refuse(draft.stdin_key, true, "only a process has a standard input");
    draft.task.tty = draft.task.leave = draft.task.isolate = false;
  }
  check_company(reader_, draft);
  const bool is_fetch = draft.action.key && draft.action.key.text() == "fetch";
  if (is_fetch)
    if (auto fetch = read_fetch(reader_, defaults_.fetch, draft.action.value))
      draft.task.action = std::move(fetch);
  if (draft.retry)
    draft.task.retry =
        policies_.read(reader_, defaults_.retry, draft.retry, is_fetch ? usual_fetch_attempts : 1);
  else
    draft.task.retry = is_fetch ? default_fetch_retry_ : default_retry_;
  if (draft.outputs) read_outputs(reader_, draft.outputs, draft.task);
}

Task check_task_again(Member member, Value defaults, Findings& findings) {
  Reader reader(findings);
  TaskPlace place;
  return TasksReader(reader, nullptr, defaults, 1).read(member, place);
}

}  // namespace gather::job
