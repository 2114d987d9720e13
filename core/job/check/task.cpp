#include "core/job/check/check.hpp"
#include "core/job/percent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace gather::job {
namespace {

constexpr int most_attempts = 1'000'000;
constexpr int most_priority = 1'000'000'000;
constexpr int most_weight = 1'000'000'000;

/// True if the member is this task's one action; `defaults` have none.
bool is_action(Reader& reader, Member member, TaskDraft& draft) {
  if (!draft.is_defaults && !draft.action.key) {
    draft.action = member;
    return true;
  }
  const std::string name = code(member.key.text());
  if (draft.is_defaults)
    reader.error(member.key, fmt::format("{} is what one task does, and no default", name),
                 "move it into the task");
  else
    reader.error(
        member.key,
        fmt::format("a task does one thing, and this one has {} already", code(draft.action.key.text())),
        fmt::format("give {} a task of its own; `needs` joins them", name));
  return false;
}

void read_sleep(Reader& reader, Member member, TaskDraft& draft) {
  if (!is_action(reader, member, draft)) return;
  if (const auto length = reader.duration(member.value)) draft.task.action = Sleep{*length};
}

void read_fetch_member(Reader& reader, Member member, TaskDraft& draft) {
  if (!draft.is_defaults)
    is_action(reader, member, draft);  // Read when the task is complete.
  else if (reader.is_map(member.value,
                         "as in `defaults: {fetch: {headers: {…}}}`: keys for every fetch, not a URL"))
    draft.fetch = member.value;
}

void read_run(Reader& reader, Member member, TaskDraft& draft) {
  if (!is_action(reader, member, draft)) return;
  const Reader::LateValues allowed(reader);
  // What is not known yet is shown as it is written.
  if (member.value.is_scalar() && member.value.late())
    draft.task.action = Run{{std::string(member.value.text())}};
  if (!reader.is_list(
          member.value,
          "as in `run: [make, -j2]`, a program and its arguments; `shell:` takes a line of shell"))
    return;
  Run run;
  for (const Value item : Items(member.value))
    if (const auto word = reader.text(item))
      run.argv.emplace_back(*word);
    else if (item.is_scalar() && item.late())
      run.argv.emplace_back(item.text());
  if (member.value.children() == 0)
    reader.error(member.value, "`run` names no program", "as in `run: [make, -j2]`");
  else if (!run.argv.empty() && run.argv[0].empty())
    reader.error(member.value.first(), "the program's name is empty", "as in `run: [make, -j2]`");
  draft.task.action = std::move(run);
}

void read_shell(Reader& reader, Member member, TaskDraft& draft) {
  if (!is_action(reader, member, draft)) return;
  if (member.value.is_scalar() && (has_template(member.value.text()) || member.value.filled()))
    return reader.error(member.value, "a template inside `shell` would let its value run as a program",
                        "pass the value by `env`, and write \"$NAME\" here");
  if (member.value.is_list())
    return reader.error(member.value, "`shell` is one text",
                        "several lines follow `|`; `run: [program, argument]` takes a list");
  const auto script = reader.text(member.value);
  if (!script) return;
  if (script->find_first_not_of(" \t\n\r") == std::string_view::npos)
    reader.error(member.value, "this script is empty", "write a line of shell, or remove `shell`");
  draft.task.action = Shell{std::string(*script)};
}

void read_timeout(Reader& reader, Member member, TaskDraft& draft) {
  if (member.value.is_scalar() && !member.value.late() && member.value.text().ends_with('%')) {
    const auto percent = parse_timeout_percent(member.value.text());
    if (!percent) return reader.error(member.value, percent.error());
    draft.task.timeout.reset();
    draft.task.timeout_percent = *percent;
  } else if (const auto length = reader.positive_duration(member.value)) {
    draft.task.timeout = *length;
    draft.task.timeout_percent = 0;
  }
}

void read_cwd(Reader& reader, Member member, TaskDraft& draft) {
  const Reader::LateValues allowed(reader, !draft.is_defaults);
  const auto folder = reader.text(member.value);
  if (folder && folder->empty())
    reader.error(member.value, "the folder's name is empty",
                 "leave `cwd` out for the folder of the job file");
  if (folder) draft.task.cwd = std::filesystem::path(*folder);
}

void read_tags(Reader& reader, Member member, TaskDraft& draft) {
  std::vector<std::string> tags;
  for (const Value item : reader.one_or_more(member.value, "a tag or a list of tags")) {
    const auto tag = reader.text(item);
    if (tag && tag->empty()) reader.error(item, "a tag can't be empty");
    if (tag) tags.emplace_back(*tag);
  }
  draft.task.tags = std::move(tags);
}

template <auto field, auto read>
void read_into(Reader& reader, Member member, TaskDraft& draft) {
  if (const auto value = (reader.*read)(member.value)) draft.task.*field = *value;
}

constexpr auto keys = std::to_array<Key<TaskDraft>>({
    {"needs", [](Reader&, Member m, TaskDraft& to) { to.needs = m.value; }},  // Read when all ids are known.
    {"sleep", read_sleep},
    {"fetch", read_fetch_member},
    {"run", read_run},
    {"shell", read_shell},
    {"timeout", read_timeout},
    {"grace", read_into<&Task::grace, &Reader::duration>},
    {"delay", read_into<&Task::delay, &Reader::duration>},
    {"retry",
     [](Reader&, Member m, TaskDraft& to) { to.retry = m.value; }},  // What is usual depends on the action.
    {"env",
     [](Reader& r, Member m, TaskDraft& to) {
       const Reader::LateValues allowed(r, !to.is_defaults);
       if (r.is_map(m.value, "as in `env: {NAME: value}`")) read_env(r, m.value, to.task.env);
     }},
    {"cwd", read_cwd},
    {"stdin", read_stdin},
    {"tty",
     [](Reader& r, Member m, TaskDraft& to) {
       if (const auto wanted = r.boolean(m.value)) to.task.tty = *wanted;
       to.tty_key = m.key;
     }},
    {"leave",
     [](Reader& r, Member m, TaskDraft& to) {
       if (const auto wanted = r.boolean(m.value)) to.task.leave = *wanted;
       to.leave_key = m.key;
     }},
    {"isolate",
     [](Reader& r, Member m, TaskDraft& to) {
       constexpr std::array<std::string_view, 1> words{"pid"};
       if (r.word(m.value, words)) to.task.isolate = true;
       to.isolate_key = m.key;
     }},
    {"estimate", read_into<&Task::estimate, &Reader::duration>},
    {"priority",
     [](Reader& r, Member m, TaskDraft& to) {
       if (const auto number = r.whole(m.value, -most_priority, most_priority)) to.task.priority = *number;
     }},
    {"pool", [](Reader&, Member m, TaskDraft& to) { to.pool = m.value; }},  // Read when all pools are known.
    {"weight",
     [](Reader& r, Member m, TaskDraft& to) {
       to.weight = m.value;
       if (const auto number = r.whole(m.value, 1, most_weight)) to.task.weight = *number;
     }},
    {"exclusive", read_into<&Task::exclusive, &Reader::boolean>},
    {"slow_after", read_into<&Task::slow_after, &Reader::positive_duration>},
    {"description", read_into<&Task::description, &Reader::text>},
    {"tags", read_tags},
    {"service"},
    {"ready"},
    {"stop"},
    {"restart"},
    {"if"},
    {"poll"},
    {"outputs",
     [](Reader& r, Member m, TaskDraft& to) {
       if (to.is_defaults)
         return r.error(m.key, "`outputs` are of one task, and no default", "move them into the task");
       if (r.is_map(m.value, "as in `outputs: {token: body#/token}`")) to.outputs = m.value;
     }},
    {"matrix"},
    {"for_each"},
    {"key"},
    {"max"},
    {"race"},
    {"inputs"},
    {"creates"},
    {"once"},
    {"continue_on_error"},
});

struct RetryDraft {
  RetryPolicy policy;
  bool has_attempts = false;
  Value max_delay;
};

std::vector<int> read_numbers(Reader& reader, Value value, std::string_view wanted, int least, int most) {
  std::vector<int> numbers;
  for (const Value item : reader.one_or_more(value, wanted))
    if (const auto number = reader.whole(item, least, most)) numbers.push_back(*number);
  return numbers;
}

void read_on(Reader& reader, Member member, RetryDraft& draft) {
  constexpr std::array<std::string_view, 6> words{"exit", "signal", "timeout", "start", "expect", "http"};
  draft.policy.on.clear();
  for (const Value item : reader.one_or_more(member.value, "a kind of failure or a list of them"))
    if (const auto word = reader.word(item, words)) {
      const auto kind = static_cast<FailureKind>(*word);
      if (std::ranges::find(draft.policy.on, kind) == draft.policy.on.end()) draft.policy.on.push_back(kind);
    }
  if (member.value.is_list() && member.value.children() == 0)
    reader.error(member.value, "nothing would be retried", "one of " + listed(words) + ", or `retry: 0`");
}

constexpr auto retry_keys = std::to_array<Key<RetryDraft>>({
    {"attempts",
     [](Reader& r, Member m, RetryDraft& to) {
       if (const auto number = r.whole(m.value, 1, most_attempts))
         to.policy.attempts = *number, to.has_attempts = true;
     }},
    {"delay",
     [](Reader& r, Member m, RetryDraft& to) {
       if (const auto length = r.duration(m.value)) to.policy.delay = *length;
     }},
    {"max_delay",
     [](Reader& r, Member m, RetryDraft& to) {
       if (const auto length = r.duration(m.value)) to.policy.max_delay = *length, to.max_delay = m.value;
     }},
    {"backoff",
     [](Reader& r, Member m, RetryDraft& to) {
       constexpr std::array<std::string_view, 2> words{"exponential", "fixed"};
       if (const auto word = r.word(m.value, words)) to.policy.backoff = static_cast<Backoff>(*word);
     }},
    {"jitter",
     [](Reader& r, Member m, RetryDraft& to) {
       if (const auto jitter = r.boolean(m.value)) to.policy.jitter = *jitter;
     }},
    {"on", read_on},
    {"exit_codes",
     [](Reader& r, Member m, RetryDraft& to) {
       to.policy.exit_codes = read_numbers(r, m.value, "an exit code or a list of them", 1, 255);
     }},
    {"status",
     [](Reader& r, Member m, RetryDraft& to) {
       to.policy.status = read_numbers(r, m.value, "an HTTP status or a list of them", 100, 599);
     }},
});

void read_retry(Reader& reader, Value value, RetryDraft& draft) {
  if (value.is_map()) return reader.keys(value, retry_keys, draft);
  if (value.is_list())
    return reader.expected(value, "a number or a mapping",
                           "as in `retry: 3`, or `retry: {attempts: 4, delay: 1s}`");
  if (const auto retries = reader.whole(value, 0, most_attempts - 1))
    draft.policy.attempts = *retries + 1, draft.has_attempts = true;
}

}  // namespace

std::span<const Key<TaskDraft>> task_keys() { return keys; }

std::shared_ptr<const RetryPolicy> RetryPolicies::read(Reader& reader, Value base, Value over,
                                                       int usual_attempts) {
  RetryDraft draft;
  if (base) {
    Findings told_already;
    Reader silent(told_already);
    read_retry(silent, base, draft);
  }
  if (over) read_retry(reader, over, draft);
  RetryPolicy& policy = draft.policy;
  if (!draft.has_attempts) policy.attempts = usual_attempts;
  if (policy.delay > policy.max_delay) {
    if (draft.max_delay)
      reader.error(draft.max_delay, "`max_delay` is shorter than `delay`", "make it at least as long");
    policy.max_delay = policy.delay;  // Who asks for a longer wait than usual means it.
  }

  constexpr std::size_t looked_through = 8;  // Jobs have few kinds; without end this would be quadratic.
  const std::size_t count = std::min(made_.size(), looked_through);
  for (const auto& made : std::span(made_).last(count))
    if (*made == policy) return made;
  made_.push_back(std::make_shared<const RetryPolicy>(std::move(policy)));
  return made_.back();
}

}  // namespace gather::job
