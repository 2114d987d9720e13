/// `gather each --pipe`: standard input in pieces of whole records, each the standard input of one command.
#pragma once

#include "cmd/options.hpp"
#include "core/async/sync/event.hpp"
#include "core/each/records.hpp"
#include "core/process/descriptor.hpp"
#include "core/run/observer.hpp"
#include "core/run/scheduler.hpp"

#include <functional>
#include <unordered_map>

namespace gather::cmd {

/// What --block, --recstart, --recend, -N and --header say. Throws Error(usage).
each::RecordOptions record_options(const EachCommand& command);

/// Reads on as commands start, so that no more than one piece waits, whatever comes in. A piece is kept in a
/// file without a name until its command has ended, for further tries.
class PipedInput final : public run::Observer {
 public:
  /// `add` makes the next command and adds its task to the job. With `skip_blank` pieces of blanks alone are
  /// left out.
  PipedInput(each::RecordOptions options, bool skip_blank, std::function<void()> add)
      : splitter_(std::move(options)), skip_blank_(skip_blank), add_(std::move(add)) {}

  /// Until the input ends. Throws Error(task_failed) if it can't be read, or a piece not be kept.
  async::Co<> feed(run::Scheduler& scheduler);

  /// The same without running anything: calls `add` for each piece. Blocks while the input does.
  void read_all();

  /// The standard input of that task's next attempt, at its beginning; it stays ours.
  int of(job::TaskId task) const;

  void attempt_started(job::TaskId id, int number) override;
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override;
  void run_stopping(std::string_view why) override;

 private:
  async::Co<std::optional<std::string>> next_piece();
  bool read_some();

  each::RecordSplitter splitter_;
  bool skip_blank_;
  std::function<void()> add_;
  std::unordered_map<job::TaskId, process::Descriptor> pieces_;
  std::size_t added_ = 0;
  async::Event room_;  // The last one that was added does not wait any more.
  bool stopped_ = false;
};

}  // namespace gather::cmd
