/// `gather run`: a job file, once.
#include "cmd/commands.hpp"
#include "cmd/engine.hpp"
#include "cmd/job_file.hpp"
#include "cmd/report_files.hpp"
#include "cmd/settings.hpp"
#include "cmd/version.hpp"
#include "core/analyse/figures.hpp"
#include "core/report/json.hpp"
#include "core/report/plain.hpp"
#include "core/report/plan.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>

namespace gather::cmd {

ExitStatus execute(const RunCommand& command) {
  if (command.dry_run) return execute(PlanCommand{command.job});
  const std::vector<ReportFile> reports =
      report_files(command.reports, std::array<std::string_view, 1>{"json"});
  job::Job job = load_job(command.job);
  const Settings settings = settle(command.job, job);

  report::StandardTerminal terminal;
  report::PlainOptions options;
  options.verbosity = verbosity(command.job);
  options.colour = colour(command.job.color);
  if (takes_stdout(reports)) options.output = report::TaskOutput::all_to_err;
  report::Plain plain(terminal, options);

  Engine engine(settings.seed, command.job.debug);
  const run::Record record =
      engine.run(job, settings.run, plain,
                 {report::Plain::tick_interval, [&](Duration since_start) { plain.tick(since_start); }});
  terminal.flush();
  for (const ReportFile& report : reports)
    write(report, [&](const auto& sink) {
      report::write_json(job, record, analyse::figures(job, record), version, sink);
    });
  return record.exit;
}

}  // namespace gather::cmd
