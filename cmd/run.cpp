/// `gather run`: a job file, once.
#include "cmd/commands.hpp"
#include "cmd/engine.hpp"
#include "cmd/job_file.hpp"
#include "cmd/jobserver.hpp"
#include "cmd/machine.hpp"
#include "cmd/output_flags.hpp"
#include "cmd/report_files.hpp"
#include "cmd/settings.hpp"
#include "cmd/slots_file.hpp"
#include "cmd/version.hpp"
#include "core/analyse/figures.hpp"
#include "core/base/keep.hpp"
#include "core/report/json.hpp"
#include "core/report/plain.hpp"
#include "core/report/plan.hpp"
#include "core/report/result_files.hpp"
#include "core/report/tee.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>

namespace gather::cmd {

ExitStatus execute(const RunCommand& command) {
  if (command.dry_run || make_only_plans()) return execute(PlanCommand{command.job});
  const std::vector<ReportFile> reports =
      report_files(command.reports, std::array<std::string_view, 1>{"json"});
  report::PlainOptions options;
  set_output(command.output, false, options);
  set_progress(command.progress, options);
  job::Job& job = keep(load_job(command.job));
  Settings settings = settle(command.job, job);
  const auto machine = SystemMachine::of(command.job.max_load, command.job.min_free_mem);
  settings.run.machine = machine.get();
  JobserverChoice jobserver =
      choose_jobserver(command.job.jobserver, command.job.jobs, settings.run.limits.processes);
  std::optional<SlotsFile> slots_file = command.job.sync ? std::nullopt : SlotsFile::of(command.job.jobs);

  report::StandardTerminal terminal;
  options.verbosity = verbosity(command.job);
  options.colour = colour(command.job.color);
  if (takes_stdout(reports)) options.output = report::TaskOutput::all_to_err;
  report::Plain plain(terminal, options);

  std::optional<report::ResultFiles> results;
  if (command.results)
    results.emplace(command.results->value, [&](job::TaskId id) {
      return report::ResultFiles::Place{{job[id].id}, job::index(id) + 1};
    });
  std::vector<run::Observer*> observers{&plain};
  if (results) observers.insert(observers.begin(), &*results);
  report::Tee all(observers);

  Engine engine(settings.seed, command.job.debug);
  engine.print_to(terminal, options.streamed ? &plain : nullptr, results.has_value());
  connect(engine, plain);
  use_jobserver(engine, std::move(jobserver), plain);
  const run::Record& record =
      keep(engine.run(job, settings.run, all, {report::Plain::tick_interval, [&](Duration since_start) {
                                                 follow(slots_file, engine, plain);
                                                 plain.tick(since_start);
                                               }}));
  terminal.flush();
  for (const ReportFile& report : reports)
    write(report, [&](const auto& sink) {
      report::write_json(job, record, analyse::figures(job, record), version, sink);
    });
  return record.exit;
}

}  // namespace gather::cmd
