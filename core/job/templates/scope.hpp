/// What the paths of templates stand for.
#pragma once

#include "core/job/document/document.hpp"
#include "core/job/fetch.hpp"
#include "core/job/templates/result_value.hpp"
#include "core/job/templates/template.hpp"

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gather::job {

/// What is given beside a job file.
struct Surroundings {
  std::vector<NameValue> vars = {};  ///< In place of what the file's `vars` say; no name twice.
  /// A variable of gather's own environment; none if it is not set. By default that of this process.
  std::function<std::optional<std::string>(const std::string& name)> environment = {};
};

/// A task's output that a path names.
struct ResultName {
  std::string task;  ///< Its id.
  std::string output;
};

/// Nothing yet: it is known once other tasks have run, or in the run itself.
struct Later {};
/// A part of some document, or a text.
using Meaning = std::variant<Later, Value, std::string>;

/// Why a path stands for nothing.
struct PathFault {
  std::string message;
  std::string hint = {};
};

/// The output that `path` names, if it is one of `tasks`. Requires: a path whose meaning is Later.
std::optional<ResultName> result_named(const Path& path);

/// Gives a path its meaning. What it points to lives as long as the scope.
class Scope {
 public:
  virtual ~Scope() = default;
  virtual std::expected<Meaning, PathFault> meaning(const Path& path) = 0;
};

/// Before anything runs: `vars` and `env`. What `tasks` and `run` stand for comes later.
class FileScope final : public Scope {
 public:
  explicit FileScope(const Surroundings& surroundings) : surroundings_(surroundings) {}

  std::expected<Meaning, PathFault> meaning(const Path& path) override;

  /// Adds one of `vars`, unless the surroundings say something else. The value's document outlives this.
  void add_var(std::string_view name, Value value);
  /// Whether the surroundings say what this one is.
  bool is_given(std::string_view name) const;

 private:
  std::expected<Meaning, PathFault> var(const Path& path) const;
  std::expected<Meaning, PathFault> variable(const Path& path) const;

  const Surroundings& surroundings_;
  std::vector<std::pair<std::string, Value>> vars_;
};

/// The output of a task; null if there is none. Valid while the scope is.
using Results = std::function<const ResultValue*(const ResultName&)>;

/// In a run: results as well.
class RunScope final : public Scope {
 public:
  /// All of them outlive this.
  RunScope(Scope& file, const Results& results, const std::string& run_id)
      : file_(file), results_(results), run_id_(run_id) {}

  std::expected<Meaning, PathFault> meaning(const Path& path) override;

 private:
  Scope& file_;
  const Results& results_;
  const std::string& run_id_;
};

}  // namespace gather::job
