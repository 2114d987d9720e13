/// `gather fetch`: URLs from the command line and from lists, downloaded many at once.
#include "cmd/commands.hpp"
#include "cmd/engine.hpp"
#include "cmd/fetch_plan.hpp"
#include "cmd/fetch_results.hpp"
#include "cmd/output_flags.hpp"
#include "cmd/report_files.hpp"
#include "cmd/settings.hpp"
#include "cmd/version.hpp"
#include "core/analyse/figures.hpp"
#include "core/base/keep.hpp"
#include "core/base/quote.hpp"
#include "core/report/fetch_records.hpp"
#include "core/report/fetches.hpp"
#include "core/report/json.hpp"
#include "core/report/tee.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace gather::cmd {
namespace {

ExitStatus print_plan(const FetchPlan& plan) {
  report::StandardTerminal terminal;
  for (const job::Task& task : plan.job.tasks) {
    const auto& fetch = *std::get<std::unique_ptr<const job::Fetch>>(task.action);
    const std::string where =
        fetch.output ? (plan.job.directory / *fetch.output).lexically_normal().string()
        : fetch.saving->named_in
            ? (plan.job.directory / *fetch.saving->named_in / "").lexically_normal().string() +
                  " (the server names it)"
            : "standard output";
    terminal.out(fmt::format("{}  ->  {}\n", inert(fetch.url), inert(where)));
  }
  terminal.flush();
  return ExitStatus::success;
}

/// Writes the list of what is not known to be fetched, as a whole or not at all: into a file beside it that
/// takes its name. Throws Error(task_failed).
void write_failed(const std::string& path, const FetchPlan& plan, const FetchResults& results) {
  const auto refuse = [&](int error) {
    throw Error(ExitStatus::task_failed,
                fmt::format("the list {} can't be written: {}", in_quotes(path), system_error_text(error)));
  };
  std::string temporary = path + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) refuse(errno);
  const auto give_up = [&](int error) {
    ::unlink(temporary.c_str());
    refuse(error);
  };
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, 0666 & ~mask);
  FILE* const file = ::fdopen(descriptor, "w");
  if (file == nullptr) give_up(errno);
  bool written = true;
  for (std::size_t i = 0; i < plan.entries.size(); ++i) {
    if (results.fetched(i)) continue;
    const std::string line = job::list_line(plan.entries[i]);
    written = written && std::fwrite(line.data(), 1, line.size(), file) == line.size();
  }
  const int write_error = errno;
  if (std::fclose(file) != 0) give_up(errno);
  if (!written) give_up(write_error);
  if (std::rename(temporary.c_str(), path.c_str()) != 0) give_up(errno);
}

void refuse_sharing(const FetchCommand& command, const std::vector<ReportFile>& reports, Printed printed) {
  if (takes_stdout(reports) && printed != Printed::nothing)
    throw Error(ExitStatus::usage,
                fmt::format("a report and {} can't share standard output; give the report a path",
                            printed == Printed::body ? "the bodies (-o -)" : "--print"));
  if (command.failed && (command.failed->value.empty() || command.failed->value == "-"))
    throw Error(ExitStatus::usage, "--failed: this is written at the end, as a file; give it a name");
}

}  // namespace

ExitStatus execute(const FetchCommand& command) {
  const std::vector<ReportFile> reports =
      report_files(command.reports, std::array<std::string_view, 2>{"json", "jsonl"});
  report::FetchesOptions options;
  options.verbosity = verbosity(command.job);
  options.colour = colour(command.job.color);
  options.progress = progress(command.progress);
  FetchPlan& plan = keep(plan_fetch(command));
  refuse_sharing(command, reports, plan.printed);
  const Settings settings = settle(command.job, plan.job);
  if (command.dry_run) return print_plan(plan);

  report::StandardTerminal terminal;
  Engine engine(settings.seed, command.job.debug);
  engine.downloads_are_alone();
  if (plan.limit_total) engine.limit_rate(*plan.limit_total);
  report::Fetches fetches(terminal, options, [&] { return engine.received(); });
  FetchResults results(terminal, plan.printed, [&] { fetches.erase_live_line(); });
  engine.on_status_request([&](Duration now) { fetches.show_status(now); });
  report::Tee observers({&results, &fetches});
  run::Record& record = keep(run::Record());
  try {
    if (!plan.job.tasks.empty())
      record = engine.run(
          plan.job, settings.run, observers,
          {report::Plain::tick_interval, [&](Duration since_start) { fetches.tick(since_start); }});
    terminal.flush();
  } catch (
      const Error&) {  // Nobody reads stdout any more, or its disk is full: what is left is still wanted.
    if (command.failed) write_failed(command.failed->value, plan, results);
    throw;
  }
  if (command.failed) write_failed(command.failed->value, plan, results);
  for (const ReportFile& report : reports)
    write(report, [&](const auto& sink) {
      if (report.format == "jsonl")
        report::write_fetch_records(plan.job, record, sink);
      else
        report::write_json(plan.job, record, analyse::figures(plan.job, record), version, sink);
    });
  return record.exit;
}

}  // namespace gather::cmd
