/// `gather compare`: the same job one task at a time and concurrently, in turn, and the measured difference.
#include "cmd/commands.hpp"
#include "cmd/engine.hpp"
#include "cmd/job_file.hpp"
#include "cmd/jobserver.hpp"
#include "cmd/machine.hpp"
#include "cmd/report_files.hpp"
#include "cmd/settings.hpp"
#include "core/analyse/comparison.hpp"
#include "core/base/quote.hpp"
#include "core/report/comparison.hpp"
#include "core/report/plain.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <random>

namespace gather::cmd {
namespace {

constexpr std::uint64_t default_pairs = 3;

// Every pass does everything again, so what must not be done twice is not done at all unless asked for.
void refuse_repeating(const job::Job& job) {
  for (const job::Task& task : job.tasks) {
    const auto* fetch = std::get_if<std::unique_ptr<const job::Fetch>>(&task.action);
    if (fetch == nullptr || (*fetch)->request->method == "GET" || (*fetch)->request->method == "HEAD")
      continue;
    throw Error(
        ExitStatus::usage,
        fmt::format(
            "compare would send the {} request of task {} several times; if that does no harm, add --yes",
            inert((*fetch)->request->method), task.id));
  }
}

}  // namespace

ExitStatus execute(const CompareCommand& command) {
  job::Job job = load_job(command.job);
  Settings settings = settle(command.job, job);
  const auto machine = SystemMachine::of(command.job.max_load, command.job.min_free_mem);
  settings.run.machine = machine.get();
  JobserverChoice jobserver =
      choose_jobserver(command.job.jobserver, command.job.jobs, settings.run.limits.processes);
  if (!command.yes) refuse_repeating(job);
  const std::uint64_t pairs_wanted = command.runs ? whole_number(*command.runs, 1) : default_pairs;
  const run::Options concurrent = settings.run;
  const run::Options sequential = one_at_a_time(settings.run);
  const bool says_progress = verbosity(command.job) != report::Verbosity::quiet;

  report::StandardTerminal terminal;
  report::PlainOptions options;
  options.verbosity = report::Verbosity::quiet;
  options.colour = colour(command.job.color);
  options.output = report::TaskOutput::all_to_err;
  options.shown = report::Shown::failures;
  options.summary = false;
  Engine engine(settings.seed, command.job.debug);
  report::Plain notes(terminal, options);
  use_jobserver(engine, std::move(jobserver), notes);
  engine.fetch_anew();
  run::Random order(settings.seed);
  std::vector<analyse::Pair> pairs;
  for (std::uint64_t number = 1; number <= pairs_wanted; ++number) {
    analyse::Pair pair;
    const bool sync_first = std::bernoulli_distribution()(order);
    for (const bool sync : {sync_first, !sync_first}) {
      report::Plain plain(terminal, options);
      connect(engine, plain);
      const std::string pass =
          fmt::format("pair {} of {}  {:<5}", number, pairs_wanted, sync ? "sync" : "async");
      const bool on_terminal = terminal.columns().has_value();
      if (says_progress && on_terminal) terminal.err(pass + "  running");
      terminal.flush();
      run::Record record =
          engine.run(job, sync ? sequential : concurrent, plain,
                     {report::Plain::tick_interval, [&](Duration since_start) { plain.tick(since_start); }});
      terminal.flush();
      if (says_progress && on_terminal) terminal.err("\r\x1b[K");
      if (record.exit != ExitStatus::success) {
        if (record.exit == ExitStatus::task_failed)
          std::fprintf(stderr, "gather: nothing is compared, because not every task passed\n");
        return record.exit;
      }
      if (says_progress) terminal.err(fmt::format("{}  {}\n", pass, show(record.wall)));
      (sync ? pair.sync : pair.async) = std::move(record);
    }
    pairs.push_back(std::move(pair));
  }
  const analyse::Comparison comparison = analyse::compare(job, pairs);
  const std::string text = report::comparison_text(job, comparison, settings.seed);
  const bool json_on_stdout = command.export_json && command.export_json->value == "-";
  json_on_stdout ? terminal.err(text) : terminal.out(text);
  terminal.flush();
  if (command.export_json)
    write({"json", command.export_json->value},
          [&](const Sink& sink) { sink(report::comparison_json(job, pairs, comparison, settings.seed)); });
  return ExitStatus::success;
}

}  // namespace gather::cmd
