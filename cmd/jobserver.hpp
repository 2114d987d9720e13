/// Which jobserver a run stands under: make's, one that gather makes for its programs, or none.
#pragma once

#include "cmd/engine.hpp"
#include "cmd/options.hpp"
#include "core/process/jobserver/jobserver.hpp"
#include "core/report/plain.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gather::cmd {

struct JobserverChoice {
  std::unique_ptr<process::Jobserver> jobserver;  ///< Null for none.
  std::string note = {};  ///< Why it is not make's, where that is no matter of course.
};

/// `style` is --jobserver, `jobs` is -j: who gives a number of slots does not share make's. `processes` is
/// how many may run at once. Throws Error(usage) for a style that there is not.
JobserverChoice choose_jobserver(const std::optional<Given>& style, const std::optional<Given>& jobs,
                                 std::size_t processes);

/// Has the engine's processes take from and share what choose_jobserver() gives, and `plain` say what there
/// is to say.
void use_jobserver(Engine& engine, JobserverChoice choice, report::Plain& plain);

/// Whether make was called with -n, so that nothing is to be started.
bool make_only_plans();

}  // namespace gather::cmd
