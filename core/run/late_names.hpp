/// Names of files that are known only while a run goes on: that no two tasks get the same.
#pragma once

#include "core/job/model.hpp"

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gather::run {

/// One for all attempts of a run. Paths are relative to the job's folder, in normal form.
class LateNames {
 public:
  /// Gives `path` to the task, in place of what an earlier attempt of it had. Refused, as a sentence without
  /// a final full stop that begins with `named`, as in "the server names this": what another task writes,
  /// whoever has named it, or has its part under.
  std::expected<void, std::string> claim(const job::Job& job, job::TaskId task,
                                         const std::filesystem::path& path, std::string_view named);

  /// Forgets what has been claimed. Requires: no attempt is under way.
  void forget() { *this = LateNames(); }

 private:
  void take_in(const job::Job& job);

  bool knows_job_ = false;
  std::unordered_map<std::string, job::TaskId> owners_;
  std::unordered_map<job::TaskId, std::string> claimed_;
};

}  // namespace gather::run
