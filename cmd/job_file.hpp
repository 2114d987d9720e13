/// From the words of a command line to a job: which file, which tasks.
#pragma once

#include "cmd/options.hpp"
#include "core/job/load.hpp"
#include "core/job/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gather::cmd {

/// What the words of `gather [run] [FILE] [TASK…]` mean.
struct Located {
  std::string file;  ///< As given, or the default that exists; `-` is stdin.
  std::vector<std::string> tasks;
};

/// Without `-f` the first word is the file if it is `-`, holds a `/`, ends in .yaml, .yml or .json, or is a
/// folder (which load refuses); all others are tasks, of gather.yaml, gather.yml or gather.json if no file is
/// named.
///
/// Throws Error(usage) if no file is named and none of the three is there.
Located locate(const std::vector<std::string>& words, const std::optional<Given>& file);

/// What `--set NAME=VALUE` says; of several for one name the last counts. Throws Error(usage) for one that
/// says nothing.
std::vector<job::NameValue> vars_of(const std::vector<Given>& flags);

/// Goes to the folder of `-C`, if it is given. Throws Error(usage) if it can't.
void change_directory(const std::optional<Given>& directory);

/// Does all of it: changes the directory, reads, checks, prints warnings to stderr, keeps the tasks named.
/// Throws Error(usage) with every problem of the file.
job::Job load_job(const JobFlags& flags);

}  // namespace gather::cmd
