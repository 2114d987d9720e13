/// Names of files that servers choose while a run goes on: that no two tasks get the same.
#pragma once

#include "core/job/model.hpp"

#include <expected>
#include <filesystem>
#include <string>
#include <unordered_map>

namespace gather::run {

/// One for all attempts of a run. Paths are relative to the job's folder, in normal form.
class LateNames {
 public:
  /// Gives `path` to the task, in place of what an earlier attempt of it had. Refused, as a sentence without
  /// a final full stop: what another task writes, named by the job or by a server, or has its part under.
  std::expected<void, std::string> claim(const job::Job& job, job::TaskId task,
                                         const std::filesystem::path& path);

  /// Forgets what servers said. Requires: no attempt is under way.
  void forget() { *this = LateNames(); }

 private:
  void take_in(const job::Job& job);

  bool knows_job_ = false;
  std::unordered_map<std::string, job::TaskId> owners_;
  std::unordered_map<job::TaskId, std::string> claimed_;
};

}  // namespace gather::run
