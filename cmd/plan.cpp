/// `gather plan`: what would run, in which order, under which limits. Starts nothing.
#include "core/report/plan.hpp"

#include "cmd/commands.hpp"
#include "cmd/job_file.hpp"
#include "cmd/settings.hpp"
#include "core/report/terminal.hpp"
#include "core/run/durations.hpp"

#include <fmt/format.h>

namespace gather::cmd {

ExitStatus execute(const PlanCommand& command) {
  job::Job job = load_job(command.job);
  const Settings settings = settle(command.job, job);

  const bool all = command.job.verbose > 0;
  report::StandardTerminal terminal;
  terminal.out(report::plan_text(job, run::StatedDurations(), settings.run.order, settings.run.limits,
                                 all ? report::PlanRows::all : report::PlanRows::first_hundred));
  if (all) {
    terminal.out("\nin force\n");
    for (const std::string& origin : settings.origins) terminal.out(fmt::format("  {}\n", origin));
  }
  terminal.flush();
  return ExitStatus::success;
}

}  // namespace gather::cmd
