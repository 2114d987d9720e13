/// `--results DIR`: what each task wrote, in files of its own.
#pragma once

#include "core/run/observer.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace gather::report {

/// A name for a file or a folder that stands for `text`, and for no other: `/` is `\_`, a backslash `\\`, a
/// newline `\n`, a tab `\t`, other control characters `\xHH`, an empty text `\e`, `.` and `..` `\.` and
/// `\..`. Of what is longer than 200 bytes the begin, and a number made of all of it.
std::string safe_name(std::string_view text);

/// For each task that has run, a folder with `stdout` and `stderr` (of its last attempt), `seq` (its number,
/// from 1) and `exit` (its status as a shell has it: 128 + n after signal n, 124 for its time limit, 127 if
/// it could not be started, 143 if the run was stopped). Written when it has ended.
class ResultFiles final : public run::Observer {
 public:
  /// Where a task's results go: a folder in a folder for each part, as safe_name has it; and its number.
  struct Place {
    std::vector<std::string> parts;
    std::size_t sequence = 0;
  };

  /// Makes the directory. Throws Error(usage) if that can't be, and Error(task_failed), when tasks end, if a
  /// file can't be written.
  ResultFiles(std::filesystem::path directory, std::function<Place(job::TaskId)> place);

  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override;

 private:
  std::filesystem::path folder_of(const Place& place);

  std::filesystem::path directory_;
  std::function<Place(job::TaskId)> place_;
  std::unordered_set<std::string> taken_;
};

}  // namespace gather::report
