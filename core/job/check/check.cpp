#include "core/job/check/check.hpp"

#include "core/job/check/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>
#include <utility>

namespace gather::job {
namespace {

constexpr int most_slots = 1'000'000;

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
    // Their values are in the templates that name them: see FilledFile.
    {"vars", [](Reader& r, Member m, Top&) { r.is_map(m.value, "as in `vars: {region: eu}`"); }},
    {"secrets"},
    {"halt"},
    {"cleanup_timeout"},
    {"include"},
});

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

Job check(Value root, const Source& source, const Lines& lines, Findings& findings,
          const std::shared_ptr<FilledFile>& file) {
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
  TasksReader tasks(reader, &lines, top.defaults, count);
  for (const Member member : Members(top.tasks)) {
    TaskPlace& place = places[top.job.tasks.size()];
    Task& task = top.job.tasks.emplace_back(tasks.read(member, place));
    if (place.late) task.stencil = std::make_shared<const Stencil>(file, member, top.defaults);
  }
  check_references(reader, places, top.job);
  check_pools(reader, places, top.job);
  return std::move(top.job);
}

}  // namespace gather::job
