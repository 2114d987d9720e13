#include "core/job/check/check.hpp"
#include "core/job/cycles.hpp"
#include "core/job/document/text_index.hpp"
#include "core/job/fetch_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace gather::job {
namespace {

class References {
 public:
  References(Reader& reader, std::span<const TaskPlace> places, Job& job)
      : reader_(reader),
        places_(places),
        job_(job),
        ids_(job.tasks.size()),
        listed_by_(job.tasks.size(), nobody) {
    for (std::uint32_t i = 0; i < job.tasks.size(); ++i) ids_.add(job.tasks[i].id, i);
  }

  void fill_in_needs(std::uint32_t task) {
    const TaskPlace& place = places_[task];
    if (!place.needs) return;
    if (place.needs.is_map()) return conditional(place.needs);
    for (const Value item : reader_.one_or_more(place.needs, "the id of a task or a list of them")) {
      if (item.is_map()) {
        conditional(item);
        continue;
      }
      const auto id = reader_.scalar(item, "the id of a task");
      if (id) add_need(task, item, *id);
    }
  }

  /// After fill_in_needs for the same task.
  void fill_in_input(std::uint32_t task) {
    const Value at = places_[task].stdin_task;
    if (!at || !job_.tasks[task].input) return;
    const auto found = ids_.find(at.text());
    if (!found) return unknown(at, at.text());
    const std::uint32_t writer = *found;
    if (writer == task)
      return reader_.error(at, fmt::format("task {} would read its own output", code(at.text())),
                           "name another task");
    const Action& action = job_.tasks[writer].action;
    if (!std::holds_alternative<Run>(action) && !std::holds_alternative<Shell>(action) &&
        !std::holds_alternative<std::unique_ptr<const Fetch>>(action))
      return reader_.error(at, fmt::format("task {} writes nothing that could be read", code(at.text())),
                           "name a task with `run`, `shell` or `fetch`");
    if (job_.tasks[writer].tty)
      return reader_.error(at, fmt::format("task {} writes to the terminal (`tty`)", code(at.text())),
                           "name a task whose output is captured");
    job_.tasks[task].input = std::make_shared<const StandardInput>(StandardInput::Of{TaskId{writer}});
    if (listed_by_[writer] == task) return;
    listed_by_[writer] = task;
    job_.tasks[task].needs.push_back(TaskId{writer});
  }

  /// After fill_in_needs for the same task: what its templates name, it needs.
  void fill_in_results(std::uint32_t task) {
    if (!job_.tasks[task].stencil) return;
    for (const auto& [result, at] : job_.tasks[task].stencil->results()) {
      const auto giver = ids_.find(result.task);
      if (!giver) {
        unknown(at, result.task);
      } else if (*giver == task) {
        reader_.error(at, fmt::format("task {} would wait for its own result", code(result.task)),
                      "name another task");
      } else {
        check_gives(at, job_.tasks[*giver], result.output);
        if (listed_by_[*giver] == task) continue;
        listed_by_[*giver] = task;
        job_.tasks[task].needs.push_back(TaskId{*giver});
        named_at_.emplace(std::pair(task, *giver), at);
      }
    }
  }

  void find_output_twice() {
    std::unordered_map<std::string, std::uint32_t> writers;
    for (std::uint32_t i = 0; i < job_.tasks.size(); ++i) {
      const auto* const fetch = std::get_if<std::unique_ptr<const Fetch>>(&job_.tasks[i].action);
      if (fetch == nullptr || !(*fetch)->output) continue;
      const auto [first, is_new] = writers.try_emplace(*(*fetch)->output, i);
      if (is_new) continue;
      reader_.error(
          output_of(i),
          fmt::format("task {} writes {} too", code(job_.tasks[first->second].id), code(first->first)),
          "give each fetch a file of its own");
    }
    for (const auto& [path, task] : writers) {
      const auto whole = written_for(path);
      const auto writer = whole ? writers.find(std::string(*whole)) : writers.end();
      if (writer != writers.end())
        reader_.error(output_of(task),
                      fmt::format("task {} writes {} under this name until it is whole",
                                  code(job_.tasks[writer->second].id), code(writer->first)),
                      "give the file another name");
    }
  }

  void find_cycles() {
    for (const std::vector<TaskId>& cycle : job::find_cycles(job_.tasks)) {
      std::string names;
      for (const TaskId task : cycle) names += job_[task].id + " needs ";
      names += job_[cycle.front()].id;
      reader_.error(need_of(cycle[0], cycle[1]), "these tasks wait for each other: " + names,
                    "remove one of these needs");
    }
  }

 private:
  static constexpr std::uint32_t nobody = ~0u;

  void conditional(Value need) {
    reader_.error(need, "`needs` with conditions is not supported yet", "name the task alone");
  }

  void add_need(std::uint32_t task, Value at, std::string_view id) {
    const auto found = ids_.find(id);
    if (!found) return unknown(at, id);
    const std::uint32_t need = *found;
    if (need == task) {
      // Default needs are meant for the others.
      if (!places_[task].needs_are_defaults)
        reader_.error(at, fmt::format("task {} needs itself", code(id)), "remove it");
    } else if (listed_by_[need] == task) {
      reader_.error(at, fmt::format("{} is listed twice", code(id)), "remove one of them");
    } else {
      listed_by_[need] = task;
      job_.tasks[task].needs.push_back(TaskId{need});
    }
  }

  void check_gives(Value at, const Task& task, std::string_view output) {
    std::vector<std::string_view> names;
    if (task.outputs)
      for (const OutputSpec& spec : *task.outputs) names.push_back(spec.name);
    if (std::ranges::find(names, output) != names.end()) return;
    std::string hint = did_you_mean(output, names);
    if (names.empty())
      hint =
          fmt::format("add `outputs` to {}, as in `outputs: {{{}: {}}}`", code(task.id), output,
                      std::holds_alternative<std::unique_ptr<const Fetch>>(task.action) ? "body" : "stdout");
    else if (hint.empty())
      hint = "it has " + listed(names);
    reader_.error(at, fmt::format("task {} has no output {}", code(task.id), code(output)), std::move(hint));
  }

  void unknown(Value at, std::string_view id) {
    std::string hint;
    if (candidates_left_ >= job_.tasks.size()) {  // Comparing with every id takes a while.
      candidates_left_ -= job_.tasks.size();
      std::vector<std::string_view> candidates;
      for (const Task& task : job_.tasks) candidates.push_back(task.id);
      hint = did_you_mean(id, candidates);
      constexpr std::size_t few = 10;
      if (hint.empty() && candidates.size() <= few) hint = "one of " + listed(candidates);
    }
    reader_.error(at, fmt::format("there is no task {}", code(id)), std::move(hint));
  }

  /// Where `task` says that it needs `need`.
  Value need_of(TaskId task, TaskId need) const {
    const TaskPlace& place = places_[index(task)];
    if (place.stdin_task && place.stdin_task.text() == job_[need].id) return place.stdin_task;
    const auto named =
        named_at_.find({static_cast<std::uint32_t>(index(task)), static_cast<std::uint32_t>(index(need))});
    if (named != named_at_.end()) return named->second;
    if (place.needs_are_defaults) return place.key;
    if (place.needs.is_list())
      for (const Value item : Items(place.needs))
        if (item.is_scalar() && item.text() == job_[need].id) return item;
    return place.needs;
  }

  Value output_of(std::uint32_t task) const {
    const Value fetch = places_[task].action.value;
    Value dir;
    if (fetch.is_map())
      for (const auto [key, value] : Members(fetch)) {
        if (key.text() == "output") return value;
        if (key.text() == "dir") dir = value;
      }
    return dir ? dir : places_[task].action.key;  // From `defaults`.
  }

  Reader& reader_;
  std::span<const TaskPlace> places_;
  Job& job_;
  TextIndex ids_;
  std::vector<std::uint32_t> listed_by_;  ///< The last task that listed this one.
  std::map<std::pair<std::uint32_t, std::uint32_t>, Value>
      named_at_;  ///< The template that makes one need the other.
  std::size_t candidates_left_ = 300'000;
};

}  // namespace

void check_references(Reader& reader, std::span<const TaskPlace> places, Job& job) {
  References references(reader, places, job);
  for (std::uint32_t task = 0; task < job.tasks.size(); ++task) {
    references.fill_in_needs(task);
    references.fill_in_input(task);
    references.fill_in_results(task);
  }
  references.find_cycles();
  references.find_output_twice();
}

}  // namespace gather::job
