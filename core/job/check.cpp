#include "core/job/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>
#include <utility>

namespace gather::job {
namespace {

constexpr int most_slots = 1'000'000;
/// What filling `defaults` into every task may add up to: a small hostile file must not take all memory.
constexpr std::uint64_t largest_filled_defaults = 4'000'000'000;

/// `defaults`, as values: they are read again over each new task, so that one piece of code reads both.
struct Defaults {
  Value map;    ///< None without `defaults`, or while they have errors of their own.
  Value fetch;  ///< Their `fetch`: a mapping of fetch keys.
  Value retry;
  Value needs;
};

struct Top {
  Job job;
  Value defaults;
  Value tasks;
};

void read_limit(Reader& reader, Value value, std::size_t& limit) {
  if (const auto slots = reader.whole(value, 1, most_slots)) limit = static_cast<std::size_t>(*slots);
}

constexpr auto limit_keys = std::to_array<Key<Limits>>({
    {"jobs", [](Reader& r, Member m, Limits& to) { read_limit(r, m.value, to.jobs); }},
    {"processes", [](Reader& r, Member m, Limits& to) { read_limit(r, m.value, to.processes); }},
    {"fetches", [](Reader& r, Member m, Limits& to) { read_limit(r, m.value, to.fetches); }},
    {"pools", [](Reader& r, Member m, Limits& to) { read_pools(r, m.value, to.pools); }},
    {"hosts", [](Reader& r, Member m, Limits& to) { read_hosts(r, m.value, to.hosts); }},
});

constexpr auto top_keys = std::to_array<Key<Top>>({
    {"version",
     [](Reader& r, Member m, Top&) {
       if (const auto text = r.scalar(m.value, "1"); text && *text != "1")
         r.error(m.value, fmt::format("version {} is not known", code(*text)), "this gather reads version 1");
     }},
    {"name",
     [](Reader& r, Member m, Top& to) {
       if (const auto text = r.text(m.value)) to.job.name = *text;
     }},
    {"limits",
     [](Reader& r, Member m, Top& to) {
       if (r.is_map(m.value, "as in `limits: {jobs: 8}`")) r.keys(m.value, limit_keys, to.job.limits);
     }},
    {"defaults",
     [](Reader& r, Member m, Top& to) {
       if (r.is_map(m.value, "as in `defaults: {timeout: 30s}`")) to.defaults = m.value;
     }},
    {"env",
     [](Reader& r, Member m, Top& to) {
       if (r.is_map(m.value, "as in `env: {NAME: value}`")) read_env(r, m.value, to.job.env);
     }},
    {"deadline", [](Reader& r, Member m, Top& to) { to.job.deadline = r.positive_duration(m.value); }},
    {"tasks",
     [](Reader& r, Member m, Top& to) {
       if (r.is_map(m.value, "each task stands under its id, as in `tasks: {build: {run: [make]}}`"))
         to.tasks = m.value;
     }},
    {"vars"},
    {"secrets"},
    {"halt"},
    {"cleanup_timeout"},
    {"include"},
});

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

class TasksReader {
 public:
  TasksReader(Reader& reader, const Lines& lines, Value defaults, std::size_t tasks)
      : reader_(reader), lines_(lines), defaults_(read_defaults(reader, defaults, tasks)) {
    default_retry_ = policies_.read(silent_, {}, defaults_.retry, 1);
    default_fetch_retry_ = policies_.read(silent_, {}, defaults_.retry, usual_fetch_attempts);
  }

  Task read(Member member, TaskPlace& place) {
    TaskDraft draft;
    draft.task.id = member.key.text();
    draft.task.position = lines_.locate(member.key.extent().begin);
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
    return std::move(draft.task);
  }

 private:
  static constexpr int usual_fetch_attempts = 4;

  void report_no_task(Member member) {
    const std::string id(member.key.text());
    const std::string example =
        fmt::format("as in {}, or {} for a milestone", code(id + ": {run: [make]}"), code(id + ": {}"));
    if (member.value.absent())
      reader_.error(member.key, fmt::format("task {} is empty", code(id)), example);
    else
      reader_.is_map(member.value, example);
  }

  void finish(TaskDraft& draft, TaskPlace& place) {
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
  }

  Reader& reader_;
  const Lines& lines_;
  Findings unheard_;
  Reader silent_{unheard_};  ///< Reads `defaults` again: they have no errors by then, but may have warnings.
  Defaults defaults_;
  RetryPolicies policies_;
  std::shared_ptr<const RetryPolicy> default_retry_;
  std::shared_ptr<const RetryPolicy> default_fetch_retry_;
};

}  // namespace

void read_env(Reader& reader, Value map, std::vector<NameValue>& env) {
  env.reserve(env.size() + map.children() / 2);  // Or the names below would move away.
  std::unordered_map<std::string_view, std::size_t> inherited;
  for (std::size_t i = 0; i < env.size(); ++i) inherited.emplace(env[i].first, i);
  for (const Member member : Members(map)) {
    const std::string_view name = member.key.text();
    if (name.empty() || name.find('=') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos) {
      reader.error(member.key, fmt::format("{} is no name for an environment variable", code(name)),
                   "a name is not empty and holds no `=`");
      continue;
    }
    if (!reader.has_value(member, for_empty_text)) continue;
    const auto value = reader.text(member.value);
    if (!value) continue;
    if (const auto same = inherited.find(name); same != inherited.end())
      env[same->second].second = *value;
    else
      env.emplace_back(name, *value);
  }
}

Job check(Value root, const Source& source, const Lines& lines, Findings& findings) {
  Reader reader(findings);
  Top top;
  top.job.directory = source.directory;
  top.job.name = source.name == "<stdin>" ? "stdin" : std::filesystem::path(source.name).filename().string();
  if (!root || root.absent()) {
    findings.error({}, "the file is empty", "a job begins with `tasks:`; `gather help job-file` shows one");
    return std::move(top.job);
  }
  if (!reader.is_map(root, "a job begins with `tasks:`")) return std::move(top.job);
  const std::size_t before = findings.errors();
  reader.keys(root, top_keys, top);
  if (!top.tasks || top.tasks.children() == 0) {
    if (top.tasks)
      reader.error(top.tasks, "this job has no tasks", "as in `tasks: {build: {run: [make]}}`");
    else if (findings.errors() == before)
      reader.error(root, "this job has no `tasks`", "as in `tasks: {build: {run: [make]}}`");
    return std::move(top.job);
  }

  const std::size_t count = top.tasks.children() / 2;
  std::vector<TaskPlace> places(count);
  top.job.tasks.reserve(count);
  TasksReader tasks(reader, lines, top.defaults, count);
  for (const Member member : Members(top.tasks))
    top.job.tasks.push_back(tasks.read(member, places[top.job.tasks.size()]));
  check_references(reader, places, top.job);
  check_pools(reader, places, top.job);
  return std::move(top.job);
}

}  // namespace gather::job
