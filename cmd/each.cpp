/// `gather each`: a command for each argument, as a job that no file holds.
#include "cmd/commands.hpp"
#include "cmd/each_input.hpp"
#include "cmd/each_pipe.hpp"
#include "cmd/engine.hpp"
#include "cmd/jobserver.hpp"
#include "cmd/machine.hpp"
#include "cmd/output_flags.hpp"
#include "cmd/report_files.hpp"
#include "cmd/settings.hpp"
#include "cmd/slots_file.hpp"
#include "cmd/version.hpp"
#include "core/analyse/figures.hpp"
#include "core/base/keep.hpp"
#include "core/base/quote.hpp"
#include "core/each/commands.hpp"
#include "core/report/joblog.hpp"
#include "core/report/json.hpp"
#include "core/report/result_files.hpp"
#include "core/report/tee.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <memory>
#include <random>

namespace gather::cmd {
namespace {

constexpr std::size_t longest_name = 60;  // Of a task, in characters: it is repeated in every line about it.

constexpr std::size_t no_limit = std::numeric_limits<int>::max();

std::size_t slots_for(const EachCommand& command) {
  if (!command.jobs) return job::Limits::default_processes();
  if (auto file = SlotsFile::of(command.jobs, no_limit)) return file->read();
  return command.jobs->value == "0" ? no_limit : slots(*command.jobs);
}

each::CommandOptions command_options(const EachCommand& command, std::vector<std::string> words) {
  each::CommandOptions options;
  options.words = std::move(words);
  options.shell = command.shell;
  if (command.arguments_per_command)
    options.arguments_per_command = whole_number(*command.arguments_per_command, 1);
  options.fill = command.fill || command.repeat;
  options.repeat = command.repeat;
  options.slots = slots_for(command);
  options.keep_arguments = command.results.has_value();
  if (command.tagstring)
    options.tag = command.tagstring->value;
  else if (command.tag)
    options.tag = each::tag_of_all_arguments;
  return options;
}

/// Where --joblog goes, line by line, so that a kill loses at most the line at hand.
class LogFile {
 public:
  /// Begins the file anew, or adds to it.
  LogFile(const std::string& path, bool add) : path_(path) {
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND | (add ? 0 : O_TRUNC), 0666);
    if (file_ < 0) refuse(ExitStatus::usage);
    const off_t size = lseek(file_, 0, SEEK_END);
    if (size == 0) write(report::joblog_header);
    char last = '\n';
    if (size > 0 && pread(file_, &last, 1, size - 1) == 1 && last != '\n')
      write("\n");  // A line was cut off.
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() { close(file_); }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::write(file_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) refuse(ExitStatus::task_failed);
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

 private:
  [[noreturn]] void refuse(ExitStatus status) const {
    throw Error(status,
                fmt::format("can't write the job log {}: {}", in_quotes(path_), system_error_text(errno)));
  }

  std::string path_;
  int file_ = -1;
};

std::string file_text(const std::string& path) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "re"), &std::fclose);
  if (!file && errno == ENOENT) return text;
  if (!file)
    throw Error(ExitStatus::usage,
                fmt::format("can't read the job log {}: {}", in_quotes(path), system_error_text(errno)));
  std::array<char, 64 * 1024> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    text.append(buffer.data(), count);
  return text;
}

/// Takes away what the job log has already. Told by the command's text, not by its number, so that other
/// arguments are not taken for the same.
void drop_done(const EachCommand& command, std::vector<each::Command>& commands) {
  if (!command.resume && !command.resume_failed) return;
  if (command.pipe)
    throw Error(ExitStatus::usage,
                "--resume tells commands by their text, and with --pipe they all have the same");
  if (!command.joblog)
    throw Error(ExitStatus::usage, "--resume needs --joblog FILE, which says what has been done");
  auto done = report::read_joblog(file_text(command.joblog->value), command.joblog->value,
                                  command.resume_failed ? report::Resume::passed : report::Resume::ended);
  std::erase_if(commands, [&](const each::Command& each) {
    const auto found = done.find(report::joblog_command(each.shown));
    if (found == done.end() || found->second == 0) return false;
    --found->second;
    return true;
  });
}

job::Task task_of(const EachCommand& command, const each::Command& each,
                  const std::shared_ptr<const job::RetryPolicy>& retry) {
  job::Run run{each.run.words, {}};
  for (const each::SlotPlace& place : each.run.slots) run.slots.push_back({place.word, place.offset});
  job::Task task;
  const std::string name = in_quotes(each.shown, longest_name);
  task.id = fmt::format("{} {}", each.sequence, std::string_view(name).substr(1, name.size() - 2));
  task.action = std::move(run);
  if (command.timeout) attempt_limit(*command.timeout).put_into(task);
  task.retry = retry;
  task.tty = command.tty;
  return task;
}

std::shared_ptr<const job::RetryPolicy> retry_of(const EachCommand& command) {
  job::RetryPolicy policy;
  policy.delay = Duration(0);
  policy.jitter = false;
  if (command.retries) policy.attempts = static_cast<int>(whole_number(*command.retries, 1));
  return std::make_shared<const job::RetryPolicy>(std::move(policy));
}

job::Job job_of(const EachCommand& command, const std::vector<each::Command>& commands) {
  const auto retry = retry_of(command);
  job::Job job;
  job.name = "each";
  job.directory = std::filesystem::current_path();
  job.tasks.reserve(commands.size());
  for (const each::Command& each : commands) job.tasks.push_back(task_of(command, each, retry));
  return job;
}

run::Options run_options(const EachCommand& command) {
  run::Options options;
  const std::size_t slots = slots_for(command);
  options.limits = {slots, slots, slots};
  options.order.schedule = run::Schedule::fifo;
  if (command.delay) options.limits.delay = duration(*command.delay);
  options.grows = command.pipe;
  if (command.deadline) options.deadline = time_limit(*command.deadline);
  if (command.halt) options.halt = halt(*command.halt);
  if (command.fail_fast) options.halt = run::Halt{};
  return options;
}

report::PlainOptions plain_options(const EachCommand& command, const std::vector<each::Command>& commands,
                                   bool stdout_taken) {
  report::PlainOptions options;
  options.colour = colour(command.color);
  options.lines = command.verbose > 0;
  options.verbosity = command.verbose > 0 ? report::Verbosity::verbose
                      : command.quiet     ? report::Verbosity::quiet
                                          : report::Verbosity::normal;
  options.summary = false;
  options.eta = command.eta;
  options.bar = command.bar;
  set_progress(command.progress, options);
  set_output(command.output, command.keep_order, options);
  if (stdout_taken) options.output = report::TaskOutput::all_to_err;
  if (command.tag || command.tagstring)
    options.tag = [&commands](job::TaskId id) { return commands[job::index(id)].tag + '\t'; };
  return options;
}

/// As parallel names results: the number of each source, or its name, and the argument; with --pipe, where
/// there are none, the number of the command.
report::ResultFiles::Place result_place(const each::Command& command, const std::vector<std::string>& names) {
  report::ResultFiles::Place place{{}, command.sequence};
  for (std::size_t i = 0; i < command.arguments.size(); ++i) {
    place.parts.push_back(i < names.size() ? names[i] : fmt::to_string(i + 1));
    place.parts.push_back(command.arguments[i]);
  }
  if (place.parts.empty()) place.parts.push_back(fmt::to_string(command.sequence));
  return place;
}

/// The words of the command, where arguments come from nowhere.
std::vector<std::string> piped_command(const EachCommand& command) {
  for (const std::string_view separator : {":::", "::::", ":::+", "::::+"})
    if (std::ranges::find(command.rest, separator) != command.rest.end())
      throw Error(
          ExitStatus::usage,
          fmt::format("--pipe gives commands their input, and no arguments; leave out {}", separator));
  if (!command.arg_files.empty())
    throw Error(ExitStatus::usage,
                "--pipe gives commands their input, and no arguments; leave out --arg-file");
  if (command.rest.empty())
    throw Error(ExitStatus::usage, "--pipe needs a command, as in gather each --pipe wc -l");
  return command.rest;
}

}  // namespace

ExitStatus execute(const EachCommand& command) {
  EachInput read = command.pipe ? EachInput{piped_command(command), {}} : read_each_input(command);
  const each::CommandOptions form = command_options(command, std::move(read.command));
  std::vector<each::Command> commands;
  if (!command.pipe) commands = each::commands(read.input, form);
  run::Options options = run_options(command);
  const auto machine = SystemMachine::of(command.max_load, command.min_free_mem);
  options.machine = machine.get();
  JobserverChoice jobserver = choose_jobserver(command.jobserver, command.jobs, options.limits.processes);
  std::optional<SlotsFile> slots_file = SlotsFile::of(command.jobs, no_limit);
  const std::vector<ReportFile> reports =
      report_files(command.reports, std::array<std::string_view, 1>{"json"});
  drop_done(command, commands);
  const report::PlainOptions shown = plain_options(command, commands, takes_stdout(reports));
  job::Job& job = keep(job_of(command, commands));
  std::optional<PipedInput> piped;
  if (command.pipe)
    piped.emplace(record_options(command), command.no_run_if_empty,
                  [&, maker = each::CommandMaker(form, {}), retry = retry_of(command)] mutable {
                    commands.push_back(maker.next({}));
                    job.tasks.push_back(task_of(command, commands.back(), retry));
                  });

  report::StandardTerminal terminal;
  if (command.dry_run || make_only_plans()) {
    if (piped) piped->read_all();
    for (const each::Command& each : commands) terminal.out(each.shown + '\n');
    terminal.flush();
    return ExitStatus::success;
  }
  std::optional<LogFile> log;
  if (command.joblog) log.emplace(command.joblog->value, command.resume || command.resume_failed);
  report::Plain plain(terminal, shown);
  report::Joblog joblog(
      [&](job::TaskId id) {
        const each::Command& each = commands[job::index(id)];
        return report::Joblog::Entry{each.sequence, each.shown};
      },
      [&](std::string_view line) { log->write(line); });
  std::optional<report::ResultFiles> results;
  if (command.results)
    results.emplace(command.results->value, [&, names = read.input.names](job::TaskId id) {
      return result_place(commands[job::index(id)], names);
    });
  std::vector<run::Observer*> observers{&plain};
  if (results) observers.insert(observers.begin(), &*results);
  if (log) observers.insert(observers.begin(), &joblog);
  if (piped) observers.push_back(&*piped);
  report::Tee all(observers);

  Engine engine(std::random_device()(), command.debug);
  engine.print_to(terminal, shown.streamed ? &plain : nullptr, results.has_value());
  connect(engine, plain);
  use_jobserver(engine, std::move(jobserver), plain);
  Engine::Beside beside;
  if (piped) {
    engine.take_input_from([&](job::TaskId task) { return piped->of(task); });
    beside = [&](run::Scheduler& scheduler) { return piped->feed(scheduler); };
  }
  const run::Record& record = keep(engine.run(job, options, all,
                                              {report::Plain::tick_interval,
                                               [&](Duration since_start) {
                                                 follow(slots_file, engine, plain);
                                                 plain.tick(since_start);
                                               }},
                                              beside));
  terminal.flush();
  for (const ReportFile& report : reports)
    write(report, [&](const auto& sink) {
      report::write_json(job, record, analyse::figures(job, record), version, sink);
    });
  return record.exit;
}

}  // namespace gather::cmd
