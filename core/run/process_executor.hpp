/// Runs `run` and `shell` tasks: a process in a group of its own, its output captured.
#pragma once

#include "core/async/sync/lock.hpp"
#include "core/process/jobserver/jobserver.hpp"
#include "core/process/run_process.hpp"
#include "core/process/starter.hpp"
#include "core/process/valve.hpp"
#include "core/run/executor.hpp"
#include "core/run/inputs.hpp"
#include "core/run/live_output.hpp"

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace gather::run {

/// The loop that its attempts run on is found with the first of them.
class ProcessExecutor final : public Executor {
 public:
  /// `inherited` is the environment that processes start from, "NAME=value" each; variables of gather's own
  /// (GATHER_…) are not passed on. `launcher_program` as for process::make_starter.
  explicit ProcessExecutor(std::vector<std::string> inherited, std::string launcher_program = {});
  ~ProcessExecutor() override;

  /// Where the standard input of a task's next attempt comes from; without it, from nowhere. Descriptors stay
  /// theirs.
  void take_input_from(std::function<int(job::TaskId)> input) { input_ = std::move(input); }

  /// What the tasks of the job read that runs next, and whose outputs are kept whole; none by default. It
  /// outlives the attempts.
  void read_from(const Inputs* inputs) { inputs_ = inputs; }

  /// From now on `output` is given what attempts write as they write it, and holds them back by closing
  /// `valve`. Of outputs only the end is kept then, but of those that other tasks read, and of all with
  /// `keep_all`. Both outlive the attempts.
  void pass_output_to(LiveOutput& output, process::Valve& valve, bool keep_all) {
    live_ = &output;
    valve_ = &valve;
    keep_all_ = keep_all;
  }

  /// Called when a task gets the terminal, and when it has given it back.
  void on_foreground(std::function<void(bool taken)> call) { foreground_changes_ = std::move(call); }

  /// Gives the end of what the running attempt of a task has written to a stream so far; nothing if none
  /// runs.
  void last_output(job::TaskId id, Stream stream, const Output::Sink& sink) const;
  /// Processes share this jobserver, and find it in MAKEFLAGS; see process::Starter::share. Outlives this.
  /// Null: they get none, also none that MAKEFLAGS names and that is not open to them. Before the first
  /// attempt.
  void share(const process::Jobserver* jobserver, std::function<void()> ready);

  async::Co<> attempt(const AttemptContext& context, AttemptResult& result) override;
  async::Co<std::vector<LeftProcess>> clean_up() override;

  /// Stops every process of its attempts, and lets them go on; see process::Starter.
  void pause() noexcept;
  void resume() noexcept;

 private:
  async::ChildSpec spec_for(const AttemptContext& context);
  /// What all processes of a run find in their environment, made once for each run.
  const async::Environment& common_environment(const AttemptContext& context);
  async::Co<std::expected<process::Exit, async::StartError>> in_foreground(async::ChildSpec spec,
                                                                           const process::StopPolicy& policy,
                                                                           process::ProcessResult& result);
  /// Fills in spec.stdin_fd; what is opened for it is the caller's. Why it can't be had, if so.
  std::optional<Outcome> open_input(const AttemptContext& context, async::ChildSpec& spec,
                                    process::Descriptor& opened) const;

  std::vector<std::string> inherited_;
  async::Environment common_;
  std::string common_of_;  // The run that it is of; empty: none yet.
  std::string launcher_program_;
  std::unique_ptr<process::Starter> starter_;
  std::unordered_map<job::TaskId, const process::ProcessResult*> running_;
  LiveOutput* live_ = nullptr;
  process::Valve* valve_ = nullptr;
  bool keep_all_ = false;
  async::Lock foreground_;
  std::function<void(bool taken)> foreground_changes_;
  const Inputs* inputs_ = nullptr;
  const process::Jobserver* jobserver_ = nullptr;
  std::function<void()> jobserver_ready_;
  std::function<int(job::TaskId)> input_;  // Empty: every child's standard input is the null device.
};

}  // namespace gather::run
