#include "core/job/templates/scope.hpp"

#include "core/job/check/schema.hpp"
#include "core/job/document/pointer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <span>

namespace gather::job {
namespace {

using Fault = std::unexpected<PathFault>;

constexpr std::array<std::string_view, 4> roots{"vars", "env", "tasks", "run"};
constexpr std::array<std::string_view, 4> later_roots{"secrets", "matrix", "item", "inputs"};

const std::string* key_at(const Path& path, std::size_t step) {
  return step < path.steps.size() ? std::get_if<std::string>(&path.steps[step]) : nullptr;
}

/// Goes on from `value` by the steps of `path` from `first` on.
std::expected<Meaning, PathFault> walk(Value value, const Path& path, std::size_t first) {
  for (std::size_t i = first; i < path.steps.size(); ++i) {
    if (value.is_scalar() && value.late()) return value;  // It has a fault, which has been found.
    const auto* const key = key_at(path, i);
    if (key != nullptr)
      value = value.is_map() ? member_of(value, *key) : Value();
    else
      value = value.is_list() ? item_of(value, std::get<std::size_t>(path.steps[i])) : Value();
    if (value) continue;
    Path known{path.root, {path.steps.begin(), path.steps.begin() + static_cast<std::ptrdiff_t>(i + 1)}};
    return Fault(PathFault{fmt::format("there is no {}", code(known.spell()))});
  }
  return value;
}

std::expected<Meaning, PathFault> later(const Path& path) {
  if (path.root == "run") {
    if (path.steps.size() == 1 && key_at(path, 0) != nullptr && *key_at(path, 0) == "id") return Later{};
    return Fault(
        PathFault{fmt::format("there is no {}", code(path.spell())), "`run.id` is all there is of a run"});
  }
  const bool good = key_at(path, 0) != nullptr && key_at(path, 1) != nullptr &&
                    *key_at(path, 1) == "outputs" && key_at(path, 2) != nullptr;
  if (good) return Later{};
  return Fault(PathFault{fmt::format("{} names no output of a task", code(path.spell())),
                         "as in `tasks.login.outputs.token`; an id with a dot stands in brackets, as in "
                         "`tasks[\"a.b\"].outputs.token`"});
}

}  // namespace

std::optional<ResultName> result_named(const Path& path) {
  if (path.root != "tasks") return std::nullopt;
  return ResultName{std::get<std::string>(path.steps[0]), std::get<std::string>(path.steps[2])};
}

void FileScope::add_var(std::string_view name, Value value) { vars_.emplace_back(name, value); }

bool FileScope::is_given(std::string_view name) const {
  return std::ranges::find(surroundings_.vars, name, &NameValue::first) != surroundings_.vars.end();
}

std::expected<Meaning, PathFault> FileScope::meaning(const Path& path) {
  if (path.root == "vars") return var(path);
  if (path.root == "env") return variable(path);
  if (path.root == "tasks" || path.root == "run") return later(path);
  if (std::ranges::find(later_roots, path.root) != later_roots.end())
    return Fault(PathFault{fmt::format("{} is not supported yet in templates", code(path.root)),
                           "a later gather will know it"});
  std::string hint = did_you_mean(path.root, roots);
  return Fault(PathFault{fmt::format("{} is nothing that a template can name", code(path.root)),
                         hint.empty() ? "one of " + listed(roots) : std::move(hint)});
}

std::expected<Meaning, PathFault> FileScope::var(const Path& path) const {
  const std::string* const name = key_at(path, 0);
  if (name == nullptr) return Fault(PathFault{"`vars` is no value", "name one of them, as in `vars.region`"});
  for (const auto& [known, value] : surroundings_.vars)
    if (known == *name) {
      if (path.steps.size() == 1) return value;
      return Fault(
          PathFault{fmt::format("there is no {}: `vars.{}` was given as text", code(path.spell()), known)});
    }
  for (const auto& [known, value] : vars_)
    if (known == *name) return walk(value, path, 1);
  std::vector<std::string_view> names;
  for (const auto& [known, value] : vars_) names.push_back(known);
  std::string hint = did_you_mean(*name, names);
  if (hint.empty() && !names.empty()) hint = "there is " + listed(names);
  return Fault(PathFault{fmt::format("there is no {}", code("vars." + *name)), std::move(hint)});
}

std::expected<Meaning, PathFault> FileScope::variable(const Path& path) const {
  const std::string* const name = key_at(path, 0);
  if (name == nullptr || path.steps.size() != 1)
    return Fault(PathFault{fmt::format("{} names no variable", code(path.spell())), "as in `env.HOME`"});
  std::optional<std::string> value;
  if (surroundings_.environment)
    value = surroundings_.environment(*name);
  else if (const char* const found = std::getenv(name->c_str()))
    value = found;
  if (value) return std::move(*value);
  return Fault(PathFault{fmt::format("the environment has no variable {}", code(*name)),
                         "`env.NAME` is of the environment that gather is started in"});
}

std::expected<Meaning, PathFault> RunScope::meaning(const Path& path) {
  auto meaning = file_.meaning(path);
  if (!meaning || !std::holds_alternative<Later>(*meaning)) return meaning;
  const auto named = result_named(path);
  if (!named) return run_id_;
  const ResultValue* const value = results_(*named);
  if (value == nullptr) return Fault(PathFault{fmt::format("there is no {}", code(path.spell()))});
  return walk(value->root(), path, 3);
}

}  // namespace gather::job
