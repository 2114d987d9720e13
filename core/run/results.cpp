#include "core/run/results.hpp"

#include "core/job/templates/stencil.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace gather::run {
namespace {

/// The needs of a task by id. What a template names is one of them.
class NeedsOf {
 public:
  NeedsOf(const job::Job& job, job::TaskId task) {
    for (const job::TaskId need : job[task].needs) by_id_.emplace(job[need].id, need);
  }
  job::TaskId operator[](const std::string& id) const { return by_id_.at(id); }

 private:
  std::unordered_map<std::string_view, job::TaskId> by_id_;
};

}  // namespace

Results::Results(const job::Job& job) : job_(job) {
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    for (const job::TaskId named : named_by(job::TaskId(i))) ++readers_[named];
}

std::unordered_set<job::TaskId> Results::named_by(job::TaskId task) const {
  std::unordered_set<job::TaskId> named;
  if (!job_[task].stencil) return named;
  const NeedsOf needs(job_, task);
  for (const auto& [result, at] : job_[task].stencil->results()) named.insert(needs[result.task]);
  return named;
}

void Results::keep(job::TaskId task, std::vector<job::OutputValue> values) {
  if (readers_.contains(task)) values_[task] = std::move(values);
}

void Results::ended(job::TaskId task) {
  for (const job::TaskId named : named_by(task)) {
    const auto readers = readers_.find(named);
    if (--readers->second > 0) continue;
    readers_.erase(readers);
    values_.erase(named);
  }
}

std::expected<job::Task, std::string> Results::fill(job::TaskId task, const std::string& run_id) const {
  const NeedsOf needs(job_, task);
  const job::Results results = [&](const job::ResultName& name) -> const job::ResultValue* {
    const auto values = values_.find(needs[name.task]);
    if (values == values_.end()) return nullptr;
    const auto value = std::ranges::find(values->second, name.output, &job::OutputValue::name);
    return value == values->second.end() ? nullptr : value->value.get();
  };
  return job_[task].stencil->fill(job_[task], results, run_id);
}

}  // namespace gather::run
