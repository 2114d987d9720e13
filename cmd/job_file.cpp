#include "cmd/job_file.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/job/graph.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>

namespace gather::cmd {
namespace {

constexpr std::array<const char*, 3> default_files{"gather.yaml", "gather.yml", "gather.json"};

bool names_a_file(const std::string& word) {
  std::error_code ignored;
  return word == "-" || word.contains('/') || word.ends_with(".yaml") || word.ends_with(".yml") ||
         word.ends_with(".json") || std::filesystem::is_directory(word, ignored);
}

}  // namespace

Located locate(const std::vector<std::string>& words, const std::optional<Given>& file) {
  Located located{file ? file->value : "", words};
  if (file) return located;
  if (!words.empty() && names_a_file(words.front())) {
    located.file = words.front();
    located.tasks.erase(located.tasks.begin());
    return located;
  }
  for (const char* candidate : default_files)
    if (std::filesystem::exists(candidate)) {
      located.file = candidate;
      return located;
    }
  throw Error(
      ExitStatus::usage,
      words.empty()
          ? "there is no gather.yaml, gather.yml or gather.json here; name a job file, or see `gather help`"
          : fmt::format("{} is neither a command nor a job file, and there is no gather.yaml, gather.yml or "
                        "gather.json here to have a task of that name; see `gather help`",
                        in_quotes(words.front())));
}

std::vector<job::NameValue> vars_of(const std::vector<Given>& flags) {
  std::vector<job::NameValue> vars;
  for (const Given& given : flags) {
    const std::size_t equals = given.value.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw Error(ExitStatus::usage,
                  fmt::format("{}: {} sets nothing; write NAME=VALUE", given.origin, in_quotes(given.value)));
    const std::string name = given.value.substr(0, equals);
    std::erase_if(vars, [&](const job::NameValue& var) { return var.first == name; });
    vars.emplace_back(name, given.value.substr(equals + 1));
  }
  return vars;
}

void change_directory(const std::optional<Given>& directory) {
  if (!directory) return;
  std::error_code error;
  std::filesystem::current_path(directory->value, error);
  if (error)
    throw Error(ExitStatus::usage, fmt::format("{}: can't change to {}: {}", directory->origin,
                                               in_quotes(directory->value), error.message()));
}

job::Job load_job(const JobFlags& flags) {
  change_directory(flags.directory);
  const Located located = locate(flags.words, flags.file);
  const job::Source source = job::read_source(located.file);
  job::Loaded loaded = job::load_or_throw(source, {.vars = vars_of(flags.vars)});
  std::fputs(job::render(source, loaded.problems).c_str(), stderr);
  return located.tasks.empty() ? std::move(loaded.job) : job::select(std::move(loaded.job), located.tasks);
}

}  // namespace gather::cmd
