/// What the tests of Plain share.
#pragma once

#include "core/report/plain.hpp"
#include "tests/unit/analyse/made_run.hpp"

#include <utility>
#include <vector>

namespace gather::test {

inline report::PlainOptions lines_only(report::Verbosity verbosity = report::Verbosity::normal) {
  return {.verbosity = verbosity, .summary = false, .digest = false};
}

/// Tells `plain` that a task of `run` has ended as its record says.
inline void end(report::Plain& plain, const MadeRun& run, const char* id,
                std::vector<run::AttemptOutput> written = {}) {
  plain.task_ended(run.id(id), run.record[run.id(id)], written);
}

}  // namespace gather::test
