#include "cmd/fetch_plan.hpp"

#include "cmd/host_flags.hpp"
#include "cmd/settings.hpp"
#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/base/size.hpp"
#include "core/job/document/source.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

namespace gather::cmd {
namespace {

constexpr std::size_t default_slots = 64;  // `-j` changes it. Limits per host are the servers' protection.

[[noreturn]] void refuse(const Given& given, std::string_view what) {
  throw Error(ExitStatus::usage, fmt::format("{}: {}", given.origin, what));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

// A value may be a secret, so no message repeats more than the name.
void add_header(const Given& given, std::string_view place, std::string_view text,
                std::vector<job::NameValue>& headers) {
  const std::size_t colon = text.find(':');
  const std::string_view name = trimmed(text.substr(0, colon));
  if (colon == std::string_view::npos)
    refuse(given, fmt::format("{}a header is 'Name: value', and this has no colon", place));
  if (!job::is_token(name))
    refuse(given,
           fmt::format("{}this is no name for a header: letters, digits and -, before the colon", place));
  const std::string_view value = trimmed(text.substr(colon + 1));
  if (std::ranges::any_of(value, [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }))
    refuse(given, fmt::format("{}the value of {} holds line breaks or control characters", place, name));
  headers.emplace_back(name, value);
}

std::vector<job::NameValue> headers(const std::vector<Given>& given) {
  std::vector<job::NameValue> headers;
  for (const Given& each : given) {
    if (!each.value.starts_with('@')) {
      add_header(each, "", each.value, headers);
      continue;
    }
    const std::string file = each.value.substr(1);
    const std::string text = job::read_source(file, "file of headers").text;
    std::size_t number = 0;
    for (std::string_view rest = text; !rest.empty();) {
      ++number;
      const std::size_t end = rest.find('\n');
      const std::string_view line = trimmed(rest.substr(0, end));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (!line.empty()) add_header(each, fmt::format("{}:{}: ", inert(file), number), line, headers);
    }
  }
  return headers;
}

job::UrlList urls(const FetchCommand& command) {
  job::UrlList list;
  for (std::size_t i = 0; i < command.job.words.size(); ++i) {
    const std::string& url = command.job.words[i];
    const job::EntryPlace place{nullptr, i + 1};
    if (const auto problem = job::problem_with_url(url))
      list.problems.push_back(fmt::format("{}: {}", place.spell(), *problem));
    else
      list.entries.push_back({place, url, {}, {}});
  }
  bool has_stdin = false;
  for (const Given& each : command.lists) {
    if (each.value == "-" && std::exchange(has_stdin, true))
      refuse(each, "standard input can be read once only");
    const job::Source source = job::read_source(each.value, "list of URLs");
    job::read_url_list(source.name, job::body(source), list);
  }
  return list;
}

void throw_all(std::vector<std::string> problems) {
  if (problems.empty()) return;
  constexpr std::size_t most_shown = 100;
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), most_shown); ++i)
    text += fmt::format("gather: {}\n", problems[i]);
  if (problems.size() > most_shown)
    text += fmt::format("gather: and {} more problems\n", problems.size() - most_shown);
  throw Error(ExitStatus::usage, text);
}

void require_one(const Given& given, const std::vector<job::UrlEntry>& entries) {
  if (entries.size() != 1)
    refuse(given,
           fmt::format("this is for one URL, and there are {}; the lines of a list (-i) can have names "
                       "and checksums",
                       entries.size()));
}

std::string checksums(const Given& given, Printed printed) {
  if (printed == Printed::body)
    refuse(given, "a list goes by the names of files, and with `-o -` there are none");
  if (printed == Printed::sha256)
    refuse(given, "with `--print sha256` this is not supported yet, for the list may have other checksums");
  if (given.value.contains("://")) {
    if (const auto problem = job::problem_with_url(given.value)) refuse(given, *problem);
    return given.value;
  }
  // Not below the folder of the files, from where the paths of the job count.
  std::error_code none;
  const std::filesystem::path path = std::filesystem::absolute(given.value, none);
  if (given.value.empty() || ::access(path.c_str(), R_OK) != 0)
    refuse(given, fmt::format("can't read {}: {}", in_quotes(given.value), system_error_text(errno)));
  return path.string();
}

template <class Value>
using Words = std::initializer_list<std::pair<std::string_view, Value>>;

template <class Value>
Value one_of(const Given& given, Words<Value> words) {
  std::string all;
  for (const auto& [word, value] : words) {
    if (word == given.value) return value;
    all += fmt::format("{}{}", all.empty() ? "" : ", ", word);
  }
  refuse(given, fmt::format("{}: one of {}", in_quotes(given.value), all));
}

std::uint64_t size(const Given& given) {
  const auto bytes = parse_size(given.value);
  if (!bytes || *bytes == 0)
    refuse(given, fmt::format("{} is no number of bytes above 0, {}", in_quotes(given.value), size_examples));
  return *bytes;
}

/// How it is fetched, and what of it is wanted.
void set_transfer(const FetchCommand& command, job::Fetch& fetch) {
  using job::HttpVersion;
  using job::IfExists;
  job::Saving& saving = fetch.saving.edit();
  if (command.if_exists)
    saving.if_exists = one_of<IfExists>(*command.if_exists, {{"verify", IfExists::verify},
                                                             {"skip", IfExists::skip},
                                                             {"overwrite", IfExists::overwrite},
                                                             {"fail", IfExists::fail}});
  if (command.max_size) saving.max_size = size(*command.max_size);
  job::Transport& transport = fetch.transport.edit();
  if (command.connect_timeout) transport.connect_timeout = time_limit(*command.connect_timeout);
  if (command.stall_timeout) transport.stall_timeout = time_limit(*command.stall_timeout);
  if (command.limit_rate) transport.limit_rate = size(*command.limit_rate);
  if (command.http)
    transport.http = one_of<HttpVersion>(*command.http, {{"1.1", HttpVersion::one}, {"2", HttpVersion::two}});
  saving.compressed = command.compressed;
  transport.netrc = command.netrc;
  transport.insecure = command.insecure;
  transport.public_only = command.public_only;
  if (command.fsync) saving.fsync = job::Fsync::file;
}

bool names_coding(const std::vector<job::NameValue>& headers) {
  return std::ranges::any_of(headers, [](const auto& header) {
    return std::ranges::equal(header.first, std::string_view("accept-encoding"), {},
                              [](unsigned char c) { return std::tolower(c); });
  });
}

Printed printed(const FetchCommand& command, bool to_stdout) {
  if (!command.print) return to_stdout ? Printed::body : Printed::nothing;
  const std::string& word = command.print->value;
  if (word != "path" && word != "sha256" && word != "none")
    refuse(*command.print, fmt::format("{}: one of path, sha256, none", in_quotes(word)));
  if (word == "none") return to_stdout ? Printed::body : Printed::nothing;
  if (to_stdout) refuse(*command.print, "with `-o -` standard output belongs to the bodies");
  return word == "path" ? Printed::path : Printed::sha256;
}

}  // namespace

FetchPlan plan_fetch(const FetchCommand& command) {
  job::UrlList list = urls(command);
  const bool to_stdout = command.name && command.name->value == "-";
  if (command.content_disposition && command.name)
    refuse(*command.name, "either this names the file, or the server does (--content-disposition)");
  const auto bodies = to_stdout                     ? job::Bodies::output
                      : command.content_disposition ? job::Bodies::named
                                                    : job::Bodies::files;
  if (!list.problems.empty()) {  // Those of the other URLs' names belong to the same list.
    if (!command.name)
      std::ranges::move(job::fetch_job(list.entries, {}, bodies).problems, std::back_inserter(list.problems));
    throw_all(std::move(list.problems));
  }
  if (list.entries.empty() && !command.allow_empty)
    throw Error(ExitStatus::usage,
                command.lists.empty()
                    ? "fetch needs a URL, or a list of them (-i FILE); see gather fetch --help"
                    : "the list has no URL; with --allow-empty that is fine");
  FetchPlan plan;
  plan.entries = std::move(list.entries);
  plan.printed = printed(command, to_stdout);
  if (command.limit_total) plan.limit_total = size(*command.limit_total);

  job::Fetch pattern;
  pattern.request.edit().headers = headers(command.headers);
  job::Saving& saving = pattern.saving.edit();
  saving.tell_sha256 = plan.printed == Printed::sha256 || !command.reports.empty();
  saving.tell_of_existing = plan.printed == Printed::sha256;
  saving.body_as_output = to_stdout;
  saving.resume = !command.no_resume;
  set_transfer(command, pattern);
  if (saving.compressed && names_coding(pattern.request->headers))
    throw Error(ExitStatus::usage,
                "--compressed asks for gzip and deflate, and there is a header (-H) "
                "Accept-Encoding as well; remove one of them");
  if (command.checksums && command.content_disposition)
    refuse(*command.checksums,
           "a list goes by names, and with --content-disposition they are known too late");
  if (command.checksums) saving.checksums = checksums(*command.checksums, plan.printed);
  std::filesystem::path directory = command.directory ? command.directory->value : ".";
  if (directory.empty()) refuse(*command.directory, "an empty name is no folder; . is the one you are in");
  if (command.name && !to_stdout) {
    require_one(*command.name, plan.entries);
    // Whoever types a path means it, outside the folder or not; only lists are held to it.
    const std::filesystem::path file = directory / command.name->value;
    const auto name = job::path_below(file.filename().string());
    if (!name || command.name->value.empty())
      refuse(*command.name, fmt::format("{} names no file", in_quotes(command.name->value)));
    if (file.has_parent_path()) directory = file.parent_path();
    plan.entries.front().output = *name;
  }
  if (command.sha256) {
    require_one(*command.sha256, plan.entries);
    plan.entries.front().sha256 = job::read_sha256(command.sha256->value);
    if (!plan.entries.front().sha256)
      refuse(*command.sha256, "a SHA-256 is 64 hexadecimal digits; sha256sum FILE prints it");
  }
  job::FetchJob made = job::fetch_job(plan.entries, pattern, bodies);
  throw_all(std::move(made.problems));
  plan.job = std::move(made.job);
  plan.job.directory = directory;
  plan.job.limits.jobs = plan.job.limits.fetches = default_slots;
  set_every_host(command, plan.job.limits.hosts);
  return plan;
}

}  // namespace gather::cmd
