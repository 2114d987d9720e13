/// What must hold for a job file of any bytes at all.
#pragma once

#include "core/base/error.hpp"
#include "core/job/graph.hpp"
#include "core/job/load.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <string>

namespace gather::job {

inline void require(bool holds) {
  if (!holds) std::abort();  // An assert would vanish with NDEBUG.
}

inline void check_any_job(const Source& source) {
  const Loaded loaded = load(source);
  for (const Problem& problem : loaded.problems) {
    require(problem.position.line >= 1 && problem.position.column >= 1 && problem.length >= 1);
    require(!problem.message.empty());
  }
  const std::string shown = render(source, loaded.problems);
  for (const char c : shown) require(c == '\n' || c == '\t' || (c & 0x80) != 0 || (c >= 0x20 && c != 0x7f));

  if (loaded.usable()) {
    require(topological_order(loaded.job).size() == loaded.job.tasks.size());
    require(!loaded.job.tasks.empty());
  }
  try {
    require(nlohmann::json::accept(document_json(source)));
  } catch (const Error& error) {
    require(!loaded.usable() && error.status() == ExitStatus::usage);
  }
}

}  // namespace gather::job
