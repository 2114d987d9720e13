/// What tasks give to the templates of others: kept from the end of the one to the end of the last of those.
/// Knows nothing of how a result came about.
#pragma once

#include "core/job/model.hpp"

#include <cstddef>
#include <expected>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace gather::run {

class Results {
 public:
  /// `job` outlives it. Tasks that are added to the job later wait for nothing.
  explicit Results(const job::Job& job);

  /// Takes in the outputs of a task that has passed.
  void keep(job::TaskId task, std::vector<job::OutputValue> values);

  /// A task has ended, well or not: what nobody else waits for is dropped.
  void ended(job::TaskId task);

  /// The task with its templates filled in; see job::Stencil::fill. Requires: it has some, and what it needs
  /// has passed.
  std::expected<job::Task, std::string> fill(job::TaskId task, const std::string& run_id) const;

 private:
  /// Those of its needs whose outputs it names.
  std::unordered_set<job::TaskId> named_by(job::TaskId task) const;

  const job::Job& job_;
  std::unordered_map<job::TaskId, std::size_t> readers_;  // That have not ended.
  std::unordered_map<job::TaskId, std::vector<job::OutputValue>> values_;
};

}  // namespace gather::run
