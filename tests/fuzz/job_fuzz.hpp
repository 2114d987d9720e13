/// What must hold for a job file of any bytes at all.
#pragma once

#include "core/base/error.hpp"
#include "core/job/graph.hpp"
#include "core/job/load.hpp"
#include "core/job/templates/stencil.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <optional>
#include <string>

namespace gather::job {

inline void require(bool holds) {
  if (!holds) std::abort();  // An assert would vanish with NDEBUG.
}

/// Whatever others give, a task that waits for it is filled in or refused with a sentence.
inline void check_any_result(const Job& job) {
  const std::string results[] = {"\"a b/\\n${{ vars.x }}\"", "[1,{\"k\":null}]", "{\"a\":[\"/tmp/x\"]}", "7",
                                 "null"};
  for (const std::string& json : results) {
    const auto value = ResultValue::of(json);
    const Results all = [&](const ResultName&) { return value->get(); };
    for (const Task& task : job.tasks)
      if (task.stencil) {
        const auto filled = task.stencil->fill(task, all, "run");
        require(filled ? filled->id == task.id : !filled.error().empty());
      }
  }
}

inline void check_any_job(const Source& source) {
  const Loaded loaded = load(source, {.environment = [](const std::string& name) {
                               return name == "HOME" ? std::optional<std::string>("/home/x y") : std::nullopt;
                             }});
  for (const Problem& problem : loaded.problems) {
    require(problem.position.line >= 1 && problem.position.column >= 1 && problem.length >= 1);
    require(!problem.message.empty());
  }
  const std::string shown = render(source, loaded.problems);
  for (const char c : shown) require(c == '\n' || c == '\t' || (c & 0x80) != 0 || (c >= 0x20 && c != 0x7f));

  if (loaded.usable()) {
    require(topological_order(loaded.job).size() == loaded.job.tasks.size());
    require(!loaded.job.tasks.empty());
    check_any_result(loaded.job);
  }
  try {
    require(nlohmann::json::accept(document_json(source)));
  } catch (const Error& error) {
    require(!loaded.usable() && error.status() == ExitStatus::usage);
  }
}

}  // namespace gather::job
