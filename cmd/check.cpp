/// `gather check`: every problem of the job files at once. Starts nothing.
#include "cmd/commands.hpp"
#include "cmd/job_file.hpp"
#include "core/base/quote.hpp"
#include "core/job/load.hpp"
#include "core/report/terminal.hpp"

#include <fmt/format.h>

namespace gather::cmd {

ExitStatus execute(const CheckCommand& command) {
  if (command.print && command.print->value != "json")
    throw Error(ExitStatus::usage, fmt::format("{}: {} is no format to print; json is", command.print->origin,
                                               in_quotes(command.print->value)));
  change_directory(command.directory);
  const std::vector<job::NameValue> vars = vars_of(command.vars);
  std::vector<std::string> files = command.files;
  if (files.empty()) files.push_back(locate({}, {}).file);
  report::StandardTerminal terminal;
  ExitStatus status = ExitStatus::success;
  for (const std::string& file : files) {
    const job::Source source = job::read_source(file);
    const job::Loaded loaded = job::load(source, {.vars = vars});
    terminal.err(job::render(source, loaded.problems));
    if (!loaded.usable())
      status = ExitStatus::usage;
    else
      terminal.err(fmt::format("{}: ok, {} task{}\n", source.name, loaded.job.tasks.size(),
                               loaded.job.tasks.size() == 1 ? "" : "s"));
    if (command.print) try {
        terminal.out(job::document_json(source));
      } catch (const Error&) {
        status = ExitStatus::usage;  // Broken syntax: it has been told above, and there is nothing to print.
      }
  }
  terminal.flush();
  return status;
}

}  // namespace gather::cmd
