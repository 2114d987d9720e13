/// The command line and its environment twins, as data; nothing has been opened or started yet.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gather::cmd {

/// A value that a person gave, and where: "--jobs" or "GATHER_JOBS". Errors name the place.
struct Given {
  std::string value;
  std::string origin;
};

/// The flags of `run` that `compare` and `plan` share.
struct JobFlags {
  std::vector<std::string> words;  ///< What is left: a file, then tasks; see locate_job.
  std::optional<Given> file;
  std::optional<Given> directory;
  std::optional<Given> jobs;
  std::optional<Given> timeout;
  std::optional<Given> deadline;
  std::optional<Given> retries;
  std::optional<Given> schedule;
  std::optional<Given> shuffle;  ///< Empty value: draw a seed.
  std::optional<Given> color;
  std::optional<Given> halt;
  std::vector<Given> hosts;  ///< PATTERN=N[@RATE] each.
  std::vector<Given> vars;   ///< NAME=VALUE each.
  std::vector<Given> pools;  ///< NAME=N each.
  std::optional<Given> max_load;
  std::optional<Given> min_free_mem;
  std::optional<Given> jobserver;
  bool sync = false;
  bool fail_fast = false;
  bool quiet = false;
  bool debug = false;
  int verbose = 0;
};

struct RunCommand {
  JobFlags job;
  std::optional<Given> output;
  std::optional<Given> progress;
  std::optional<Given> results;
  bool dry_run = false;
  std::vector<Given> reports;  ///< FORMAT=PATH each.
};

struct CompareCommand {
  JobFlags job;
  std::optional<Given> runs;
  std::optional<Given> export_json;
  bool yes = false;
};

struct PlanCommand {
  JobFlags job;
};

/// `gather each`: its flags, and what follows them as it stands.
struct EachCommand {
  std::vector<std::string> rest;  ///< The command's words, then `:::` and what belongs to it.
  std::vector<Given> arg_files;
  std::optional<Given> jobs;
  std::optional<Given> arguments_per_command;
  std::optional<Given> delimiter;
  std::optional<Given> colsep;
  std::optional<Given> header;
  std::optional<Given> tagstring;
  std::optional<Given> retries;
  std::optional<Given> timeout;
  std::optional<Given> deadline;
  std::optional<Given> halt;
  std::optional<Given> delay;
  std::optional<Given> max_load;
  std::optional<Given> min_free_mem;
  std::optional<Given> jobserver;
  std::optional<Given> block;
  std::optional<Given> recstart;
  std::optional<Given> recend;
  std::optional<Given> joblog;
  std::optional<Given> results;
  std::optional<Given> output;
  std::optional<Given> progress;
  std::optional<Given> color;
  std::vector<Given> reports;
  bool tty = false;
  bool eta = false;
  bool bar = false;
  bool pipe = false;
  bool keep_order = false;
  bool tag = false;
  bool null = false;
  bool link = false;
  bool fill = false;    ///< -m
  bool repeat = false;  ///< -X
  bool shell = false;
  bool no_run_if_empty = false;
  bool resume = false;
  bool resume_failed = false;
  bool dry_run = false;
  bool fail_fast = false;
  bool quiet = false;
  bool debug = false;
  int verbose = 0;
};

struct CheckCommand {
  std::vector<std::string> files;
  std::vector<Given> vars;  ///< NAME=VALUE each.
  std::optional<Given> directory;
  std::optional<Given> print;
};

struct FetchCommand {
  JobFlags job;              ///< Those flags that it shares with `run`; the words are URLs.
  std::vector<Given> lists;  ///< Files of URLs; `-` is stdin.
  std::optional<Given> directory;
  std::optional<Given> name;  ///< Of the one file; `-`: bodies go to stdout.
  std::optional<Given> sha256;
  std::optional<Given> checksums;  ///< A list in sha256sum's format: a path, or a URL.
  std::vector<Given> headers;      ///< `Name: value`, or `@FILE`.
  std::vector<Given> reports;      ///< FORMAT=PATH each.
  std::optional<Given> failed;
  std::optional<Given> print;
  std::optional<Given> progress;
  std::optional<Given> if_exists;
  std::optional<Given> max_size;
  std::optional<Given> connect_timeout;
  std::optional<Given> stall_timeout;
  std::optional<Given> limit_rate;
  std::optional<Given> limit_total;
  std::optional<Given> per_host;
  std::optional<Given> rate;
  std::optional<Given> http;
  bool content_disposition = false;
  bool no_resume = false;
  bool compressed = false;
  bool netrc = false;
  bool insecure = false;
  bool public_only = false;
  bool fsync = false;
  bool allow_empty = false;
  bool dry_run = false;
};

struct HelpCommand {
  std::string subject;
};

/// Text that was asked for and needs no work: --help of a command, --version.
struct PrintCommand {
  std::string text;
};

using Command = std::variant<RunCommand, CompareCommand, PlanCommand, EachCommand, CheckCommand, FetchCommand,
                             HelpCommand, PrintCommand>;

/// Reads the command line; environment twins (GATHER_JOBS for --jobs) stand in for flags that are not given.
///
/// Throws Error(usage) for an unknown flag or a value that can't be one. Whether a value makes sense (a
/// duration, a number) is judged where it is used.
Command parse_command_line(int argc, const char* const* argv);

}  // namespace gather::cmd
