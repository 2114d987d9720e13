/// A file with templates: filled in as far as that can be done before anything runs, and kept for the tasks
/// that have to wait for what others give.
#pragma once

#include "core/job/document/document.hpp"
#include "core/job/document/problem.hpp"
#include "core/job/document/source.hpp"
#include "core/job/model.hpp"
#include "core/job/templates/scope.hpp"

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gather::job {

/// The text of a file, and its tree with `vars` and `env` filled in. Shared by the tasks that wait.
class FilledFile {
 public:
  FilledFile(Source source, Surroundings surroundings)
      : source_(std::move(source)), surroundings_(std::move(surroundings)) {}
  FilledFile(const FilledFile&) = delete;
  FilledFile& operator=(const FilledFile&) = delete;

  /// As parse(), and fills in. With a false answer there is nothing to go on with.
  bool parse_and_fill(const Lines& lines, Findings& findings);

  Value root() const { return filled_ ? filled_->root() : Value(); }
  Scope& scope() { return scope_; }
  const Source& source() const { return source_; }
  /// Made when they are asked for, since that takes time linear in the text. On one thread.
  const Lines& lines() const;

 private:
  bool fill_vars(Value written, const Lines& lines, Findings& findings);

  Source source_;
  Surroundings surroundings_;
  FileScope scope_{surroundings_};
  std::optional<Document> vars_;
  std::optional<Document> filled_;
  mutable std::optional<Lines> lines_;
};

/// A task some of whose values are known only once others have run. What the job says of it is right as far
/// as it is known.
class Stencil {
 public:
  Stencil(std::shared_ptr<FilledFile> file, Member task, Value defaults)
      : file_(std::move(file)), task_(task), defaults_(defaults) {}

  struct Named {
    ResultName result;
    Value at;
  };
  /// The outputs of other tasks that it waits for, in the order of the text, each as often as it is named.
  std::vector<Named> results() const;

  /// `task`, which is this one in the job, with everything filled in and checked again. The error is a
  /// sentence without a final full stop, with the place in the file.
  std::expected<Task, std::string> fill(const Task& task, const Results& results,
                                        const std::string& run_id) const;

 private:
  std::shared_ptr<FilledFile> file_;
  Member task_;
  Value defaults_;
};

}  // namespace gather::job
