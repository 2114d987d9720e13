/// A line for each task that has ended, in the format of GNU parallel's --joblog; and reading it again.
#pragma once

#include "core/run/observer.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace gather::report {

/// What begins the file.
inline constexpr std::string_view joblog_header =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// Tasks that never ran, or were stopped with the run, leave no line: they have to be done again.
class Joblog final : public run::Observer {
 public:
  struct Entry {
    std::size_t sequence;
    std::string_view command;
  };

  /// `entry` names a task's line; `sink` takes whole lines and throws gather::Error if it can't keep one.
  Joblog(std::function<Entry(job::TaskId)> entry, std::function<void(std::string_view)> sink)
      : entry_(std::move(entry)), sink_(std::move(sink)) {}

  void run_started(const job::Job& job, const run::Record& record) override;
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override;

 private:
  std::function<Entry(job::TaskId)> entry_;
  std::function<void(std::string_view)> sink_;
  std::chrono::system_clock::time_point began_;
};

/// A command as it stands in the log: on one line.
std::string joblog_command(std::string_view command);

enum class Resume : std::uint8_t {
  ended,   ///< What has ended, well or not, is not done again.
  passed,  ///< Only what passed.
};

/// How often each command of a log is done already, by its text as in the log. A last line that was cut off
/// (by a kill) counts for nothing. Throws Error(usage) that names line and `path` for what is no such log.
std::map<std::string, std::size_t, std::less<>> read_joblog(std::string_view text, std::string_view path,
                                                            Resume resume);

}  // namespace gather::report
