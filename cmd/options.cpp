#include "cmd/options.hpp"

#include "cmd/flags.hpp"
#include "cmd/version.hpp"
#include "core/base/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace gather::cmd {
namespace {

struct CommandName {
  std::string_view name;
  std::string_view summary;
};

constexpr std::array<CommandName, 7> commands{
    {{"run", "run a job file (the default command)"},
     {"compare", "run it one at a time and concurrently, and compare"},
     {"plan", "what would run, in which order; starts nothing"},
     {"each", "run a command for each argument, as xargs and parallel do"},
     {"check", "every problem of a job file at once; starts nothing"},
     {"fetch", "download many URLs at once"},
     {"help", "the manual"}}};

void add_output_flags(Flags& flags, std::optional<Given>& output, std::optional<Given>& progress) {
  flags.value("--output", output, "MODE",
              "of tasks: stream, group (the default), keep-order, errors, or quiet");
  flags.value("--progress", progress, "auto|bar|lines|none", "what is shown of the run while it goes on");
}

void add_job_flags(Flags& flags, JobFlags& job) {
  flags.words("FILE TASK", job.words,
              "job file (default: gather.yaml, .yml, .json; - is stdin), then tasks: only those");
  flags.value("-f,--file", job.file, "FILE", "the job file, whatever its name");
  flags.value("-C,--directory", job.directory, "DIR", "change to DIR first");
  flags.value("-j,--jobs", job.jobs, "N|N%|-N|@FILE", "slots for everything, for processes and for fetches");
  flags.list("--set", job.vars, "NAME=VALUE", "one of the file's vars");
  flags.list("--pool", job.pools, "NAME=N", "the size of a pool of the file");
  flags.value("--max-load", job.max_load, "N|N%", "no new process while so many run on the machine");
  flags.value("--min-free-mem", job.min_free_mem, "SIZE", "no new process while less memory is free");
  flags.value("--jobserver", job.jobserver, "pipe|fifo|none", "how programs such as make share the slots");
  flags.list("--host", job.hosts, "PATTERN=N[@RATE]",
             "requests at once at each such host, and how often: *.example.org=4@5/s");
  flags.value("--timeout", job.timeout, "DURATION|N%", "time limit of each attempt; N% of the median so far");
  flags.value("--deadline", job.deadline, "DURATION", "time limit of the whole run");
  flags.value("--retries", job.retries, "N", "tries after a failed one");
  flags.value("--schedule", job.schedule, "rank|fifo|lpt", "order among ready tasks (default: rank)");
  flags.flag_or_value("--shuffle", job.shuffle,
                      "a random order that the needs allow; --shuffle=SEED repeats one");
  flags.flag("--fail-fast", job.fail_fast, "stop at the first failure");
  flags.value("--halt", job.halt, "WHEN,WHY", "never, or as in soon,fail=1 now,fail=10% now,success=1");
  flags.accepted("-k,--keep-going", "finish what does not depend on a failure (the default)");
  flags.value("--color", job.color, "auto|always|never", "colours on a terminal (default: auto)");
  flags.flag("-q,--quiet", job.quiet, "only failures");
  flags.count("-v,--verbose", job.verbose, "more about each task");
  flags.flag("--debug", job.debug, "report slow steps and lost work of the event loop");
  flags.accepted("--no-record", "keep no record of the run");
}

std::string main_help() {
  std::string text = fmt::format(
      "gather {} - runs many waits, downloads and commands at once, and measures what that saved\n\n"
      "Usage: gather [run] [FILE] [TASK...]    run a job file\n"
      "       gather COMMAND --help            flags of a command\n"
      "       gather fetch URL...              download\n"
      "       gather help [SUBJECT]            the manual\n\nCommands:\n",
      version);
  for (const CommandName& command : commands)
    text += fmt::format("  {:<9}{}\n", command.name, command.summary);
  return text;
}

template <class Options>
Command parsed(Flags& flags, std::vector<std::string> arguments, Options& options) {
  if (auto help = flags.parse(std::move(arguments))) return PrintCommand{*std::move(help)};
  return std::move(options);
}

Command parse_run(std::vector<std::string> arguments, std::size_t* command_word = nullptr) {
  RunCommand run;
  Flags flags("run", "Runs a job file.");
  add_job_flags(flags, run.job);
  flags.flag("--sync", run.job.sync, "one task at a time");
  flags.flag("-n,--dry-run", run.dry_run, "print the plan and start nothing");
  add_output_flags(flags, run.output, run.progress);
  flags.value("--results", run.results, "DIR", "a folder for each task with what it wrote");
  flags.list("--report", run.reports, "json=PATH", "write a report; - is stdout");
  if (command_word != nullptr) {  // Only asked where the first word that belongs to no flag stands.
    std::size_t at = 0;
    while (at < arguments.size() && arguments[at].starts_with('-') && arguments[at].size() > 1)
      at += flags.takes_next_word(arguments[at]) ? 2 : 1;
    *command_word = at;
    return PrintCommand{};
  }
  return parsed(flags, std::move(arguments), run);
}

Command parse_compare(std::vector<std::string> arguments) {
  CompareCommand compare;
  Flags flags("compare",
              "Runs a job one at a time and concurrently, in turn, and reports the measured difference.");
  add_job_flags(flags, compare.job);
  flags.value("--runs", compare.runs, "N",
              "pairs of runs (default: 3; from 6 on with a confidence interval)");
  flags.value("--export-json", compare.export_json, "PATH", "write the figures; - is stdout");
  flags.flag("--yes", compare.yes, "repeat requests that are not GET, too");
  return parsed(flags, std::move(arguments), compare);
}

Command parse_plan(std::vector<std::string> arguments) {
  PlanCommand plan;
  Flags flags("plan", "Prints what would run, in which order and under which limits. Starts nothing.");
  add_job_flags(flags, plan.job);
  flags.flag("--sync", plan.job.sync, "one task at a time");
  return parsed(flags, std::move(arguments), plan);
}

Command parse_each(std::vector<std::string> arguments) {
  EachCommand each;
  Flags flags("each",
              "Runs a command for each argument: gather each [FLAGS] COMMAND ::: ARG...\n"
              "Arguments come from ::: ARG..., :::: FILE..., -a FILE, or the lines of standard input.");
  flags.list("-a,--arg-file", each.arg_files, "FILE", "arguments from the lines of FILE; - is stdin");
  flags.value("-j,--jobs", each.jobs, "N|N%|-N|@FILE", "commands at once (default: CPUs + 2); 0: no limit");
  flags.value("--max-load", each.max_load, "N|N%", "no new command while so many processes run");
  flags.value("--min-free-mem", each.min_free_mem, "SIZE", "no new command while less memory is free");
  flags.value("--jobserver", each.jobserver, "pipe|fifo|none", "how commands such as make share the slots");
  flags.value("-n,-N,--max-args", each.arguments_per_command, "N",
              "arguments for each command; records with --pipe");
  flags.flag("-m,--fill", each.fill, "as many arguments as a command line holds");
  flags.flag("-X,--context-replace", each.repeat, "as -m, and a word with {} comes again for each");
  flags.value("-d,--delimiter", each.delimiter, "TEXT", "between arguments in files (default: \\n)");
  flags.flag("-0,--null", each.null, "a NUL byte between arguments in files");
  flags.value("--colsep", each.colsep, "REGEX", "between columns, which are {1} {2} ...");
  flags.value("--header", each.header, ":", "the first of each source names it, as in {name}");
  flags.flag("--link", each.link, "one of each source at a time, not every combination");
  flags.flag("--pipe", each.pipe, "standard input in pieces, each a command's standard input");
  flags.value("--block", each.block, "SIZE", "of a piece (default: 1M), cut behind a whole record");
  flags.value("--recend", each.recend, "TEXT", "what a record ends with (default: \\n)");
  flags.value("--recstart", each.recstart, "TEXT", "what a record begins with");
  flags.flag("-r,--no-run-if-empty", each.no_run_if_empty, "nothing for input of blanks alone");
  flags.flag("--shell", each.shell, "sh reads the command; arguments are quoted for it");
  flags.flag("-k,--keep-order", each.keep_order, "output in the order of the arguments");
  add_output_flags(flags, each.output, each.progress);
  flags.flag("--tty", each.tty, "each command has the terminal, one at a time");
  flags.flag("--eta", each.eta, "say how long the rest will take");
  flags.flag("--bar", each.bar, "say how much is done, as a bar");
  flags.flag("--tag", each.tag, "begin each line of output with the arguments and a tab");
  flags.value("--tagstring", each.tagstring, "TEXT", "begin it with TEXT, as in {1}, and a tab");
  flags.value("--retries", each.retries, "N", "tries in all, the first included");
  flags.value("--delay", each.delay, "DURATION", "between two starts, at least");
  flags.value("--timeout", each.timeout, "DURATION|N%",
              "time limit of each command; N% of the median so far");
  flags.value("--deadline", each.deadline, "DURATION", "time limit of the whole run");
  flags.value("--halt", each.halt, "WHEN,WHY", "never, or as in soon,fail=1 now,fail=10% now,success=1");
  flags.flag("--fail-fast", each.fail_fast, "stop at the first failure");
  flags.value("--joblog", each.joblog, "FILE", "a line for each command that ended, as parallel has it");
  flags.value("--results", each.results, "DIR", "a folder for each command with what it wrote");
  flags.flag("--resume", each.resume, "not again what the job log has");
  flags.flag("--resume-failed", each.resume_failed, "not again what passed by the job log");
  flags.list("--report", each.reports, "json=PATH", "write a report; - is stdout");
  flags.flag("--dry-run", each.dry_run, "print the commands and start nothing");
  flags.value("--color", each.color, "auto|always|never", "colours on a terminal (default: auto)");
  flags.flag("-q,--quiet", each.quiet, "no progress");
  flags.count("-v,--verbose", each.verbose, "a line for each start and end");
  flags.flag("--debug", each.debug, "report slow steps and lost work of the event loop");

  // Flags end at the first word that is none: what follows belongs to the command.
  std::size_t end = 0;
  while (end < arguments.size() && arguments[end].starts_with('-') && arguments[end].size() > 1 &&
         arguments[end] != "--")
    end += flags.takes_next_word(arguments[end]) ? 2 : 1;
  end = std::min(end, arguments.size());
  const auto rest = arguments.begin() + static_cast<std::ptrdiff_t>(end);
  const bool dashes = rest != arguments.end() && *rest == "--";
  each.rest.assign(dashes ? rest + 1 : rest, arguments.end());
  arguments.erase(rest, arguments.end());
  return parsed(flags, std::move(arguments), each);
}

Command parse_check(std::vector<std::string> arguments) {
  CheckCommand check;
  Flags flags("check", "Prints every problem of the job files. Starts nothing.");
  flags.words("FILE", check.files, "job files (default: gather.yaml, .yml, .json; - is stdin)");
  flags.list("--set", check.vars, "NAME=VALUE", "one of the files' vars");
  flags.value("-C,--directory", check.directory, "DIR", "change to DIR first");
  flags.value("--print", check.print, "json", "print the parsed document on stdout");
  return parsed(flags, std::move(arguments), check);
}

Command parse_fetch(std::vector<std::string> arguments) {
  FetchCommand fetch;
  JobFlags& job = fetch.job;
  Flags flags("fetch",
              "Downloads URLs, many at once. A file has its name only when it is whole and verified.");
  flags.words("URL", job.words, "what to download; each becomes a file named after the last part of its URL");
  flags.value("-j,--jobs", job.jobs, "N|N%|-N", "how many at once (default: 64)");
  flags.value("--per-host", fetch.per_host, "N", "how many at once of each host (default: 6)");
  flags.value("--rate", fetch.rate, "N/s|N/m|N/h", "requests per time to each host (default: any)");
  flags.value("--retries", job.retries, "N", "tries after a failed one (default: 3)");
  flags.value("--timeout", job.timeout, "DURATION", "time limit of each attempt (default: none)");
  flags.value("--deadline", job.deadline, "DURATION", "time limit of the whole run");
  flags.flag("--fail-fast", job.fail_fast, "stop at the first failure");
  flags.value("--color", job.color, "auto|always|never", "colours on a terminal (default: auto)");
  flags.flag("-q,--quiet", job.quiet, "only failures");
  flags.count("-v,--verbose", job.verbose, "also each start, file and retry");
  flags.flag("--debug", job.debug, "report slow steps and lost work of the event loop");
  flags.without_twins();
  flags.list("-i,--input", fetch.lists, "FILE", "also the URLs of this list, one a line; - is stdin");
  flags.value("-d,--dir", fetch.directory, "DIR", "where files go (default: here); made if it is missing");
  flags.value("-o,--name", fetch.name, "NAME",
              "the file of the one URL; -: bodies to stdout, of any number of URLs");
  flags.flag("-J,--content-disposition", fetch.content_disposition,
             "the server names each file that has no other name; nothing is replaced");
  flags.value("--sha256", fetch.sha256, "HEX", "the checksum of the one URL's body");
  flags.value("--checksums", fetch.checksums, "FILE|URL",
              "a list as sha256sum writes it; each file must be in it by name, and match");
  flags.flag("--no-resume", fetch.no_resume, "begin anew instead of going on from NAME.part");
  flags.value("--if-exists", fetch.if_exists, "verify|skip|overwrite|fail",
              "what to do where the file is there already (default: verify)");
  flags.value("--max-size", fetch.max_size, "SIZE", "fail what is larger, as in 10MB");
  flags.value("--connect-timeout", fetch.connect_timeout, "DURATION",
              "for name, connection and TLS (default: 10s)");
  flags.value("--stall-timeout", fetch.stall_timeout, "DURATION",
              "longest time without a byte (default: 30s)");
  flags.value("--limit-rate", fetch.limit_rate, "SIZE", "bytes per second of each download, as in 500k");
  flags.value("--limit-total", fetch.limit_total, "SIZE", "bytes per second of all downloads together");
  flags.value("--http", fetch.http, "1.1|2", "the version to ask for (default: 1.1 with libcurl 7)");
  flags.flag("--compressed", fetch.compressed,
             "take it compressed if the server can, and write what it is without");
  flags.flag("--netrc", fetch.netrc, "take users and passwords from ~/.netrc");
  flags.flag("--insecure", fetch.insecure, "trust any certificate");
  flags.flag("--public-only", fetch.public_only, "connect to public addresses alone, also after redirects");
  flags.flag("--fsync", fetch.fsync, "force each file onto the disk before it has its name");
  flags.list("-H,--header", fetch.headers, "'NAME: VALUE'|@FILE", "send this header, or each line of FILE");
  flags.value("--print", fetch.print, "path|sha256|none",
              "a line on stdout for each file, in the order of the URLs (default: none)");
  flags.value("--failed", fetch.failed, "FILE", "write a list of what was not fetched, for -i");
  flags.list("--report", fetch.reports, "json=PATH|jsonl=PATH", "write a report; - is stdout");
  flags.value("--progress", fetch.progress, "auto|bar|lines|none",
              "what is shown meanwhile (default: auto, a live line on a terminal)");
  flags.flag("--allow-empty", fetch.allow_empty, "no URL at all is fine");
  flags.flag("-n,--dry-run", fetch.dry_run, "print what would be fetched to where, and start nothing");
  return parsed(flags, std::move(arguments), fetch);
}

Command parse_help(std::vector<std::string> arguments) {
  if (!arguments.empty() && (arguments.front() == "--help" || arguments.front() == "-h"))
    return HelpCommand{"help"};
  if (arguments.size() > 1)
    throw Error(ExitStatus::usage, "gather help takes one subject; `gather help` lists them");
  return HelpCommand{arguments.empty() ? "" : arguments.front()};
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::size_t first_word = 0;
  parse_run(arguments, &first_word);
  const auto leading = std::span(arguments).first(std::min(first_word, arguments.size()));
  if (std::ranges::find(leading, "--version") != leading.end())
    return PrintCommand{fmt::format("gather {}\n", version)};
  if (first_word >= arguments.size() &&
      std::ranges::any_of(leading, [](const std::string& word) { return word == "--help" || word == "-h"; }))
    return PrintCommand{main_help()};
  if (first_word < arguments.size()) {
    const std::string word = arguments[first_word];
    const auto rest = [&] {
      std::vector<std::string> others = arguments;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(first_word));
      return others;
    };
    if (word == "run") return parse_run(rest());
    if (word == "compare") return parse_compare(rest());
    if (word == "plan") return parse_plan(rest());
    if (word == "each") return parse_each(rest());
    if (word == "check") return parse_check(rest());
    if (word == "fetch") return parse_fetch(rest());
    if (word == "help") return parse_help(rest());
  }
  return parse_run(std::move(arguments));
}

}  // namespace gather::cmd
