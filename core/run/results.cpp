#include "core/run/results.hpp"

#include "core/job/stencil.hpp"

#include <algorithm>
#include <utility>

namespace gather::run {
namespace {

job::TaskId need_named(const job::Job& job, job::TaskId task, const std::string& id) {
  const auto& needs = job[task].needs;
  return *std::ranges::find(needs, id, [&](job::TaskId need) -> const std::string& { return job[need].id; });
}

}  // namespace

Results::Results(const job::Job& job) : job_(job) {
  for (std::size_t i = 0; i < job.tasks.size(); ++i)
    for (const job::TaskId named : named_by(job::TaskId(i))) ++readers_[named];
}

std::vector<job::TaskId> Results::named_by(job::TaskId task) const {
  std::vector<job::TaskId> named;
  if (!job_[task].stencil) return named;
  for (const auto& [result, at] : job_[task].stencil->results()) {
    const job::TaskId id = need_named(job_, task, result.task);
    if (std::ranges::find(named, id) == named.end()) named.push_back(id);
  }
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
  const job::Results results = [&](const job::ResultName& name) -> const std::string* {
    const auto values = values_.find(need_named(job_, task, name.task));
    if (values == values_.end()) return nullptr;
    const auto value = std::ranges::find(values->second, name.output, &job::OutputValue::name);
    return value == values->second.end() ? nullptr : &value->json;
  };
  return job_[task].stencil->fill(job_[task], results, run_id);
}

}  // namespace gather::run
