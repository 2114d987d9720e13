/// A run as text while it goes on: a line per ending, the tasks' output, a live line or a heartbeat, and at
/// the end the summary and the failures. What gather itself says goes to standard error.
#pragma once

#include "core/report/running.hpp"
#include "core/report/status.hpp"
#include "core/report/streamed.hpp"
#include "core/report/summary.hpp"
#include "core/report/tail.hpp"
#include "core/report/terminal.hpp"
#include "core/report/words.hpp"
#include "core/run/backlog.hpp"
#include "core/run/live_output.hpp"
#include "core/run/observer.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gather::report {

enum class Verbosity : std::uint8_t {
  quiet,  ///< Only failures as they happen, and the digest at the end.
  normal,
  verbose,  ///< Also every start, and the output of failed attempts at once.
};

/// Where a task's output goes.
enum class TaskOutput : std::uint8_t {
  own_streams,  ///< Its stdout to standard output, its stderr to standard error.
  all_to_err,   ///< Standard output belongs to a report (--report json=-), or to nobody (compare).
};

/// Whose output is shown.
enum class Shown : std::uint8_t { all, failures, none };

struct PlainOptions {
  Verbosity verbosity = Verbosity::normal;
  Colour colour = Colour::off;
  TaskOutput output = TaskOutput::own_streams;
  Shown shown = Shown::all;
  /// Output is shown line by line while tasks run, and Plain is told by attempt_wrote; else when they have
  /// ended, in one piece. With it, `shown` is all and `in_order` is not set.
  bool streamed = false;
  bool lines = true;  ///< A line per ending; else, and with quiet, only for what failed.
  bool in_order =
      false;  ///< Each task's lines and output come after those of the tasks before it in the file.
  /// What every line of a task's output begins with; nothing for none.
  std::function<std::string(job::TaskId)> tag = {};
  bool progress = true;  ///< The live line, or off a terminal the heartbeat; never with quiet.
  bool eta = false;      ///< Time left, and
  bool bar = false;      ///< a bar, in the live line or the heartbeat; either makes that come every 10 s.
  bool summary = true;   ///< The table and the figures at the end; never with quiet.
  bool digest = true;    ///< The failures, last of all.
};

/// On a terminal (`columns()` is set) it keeps one live line; elsewhere it writes no escape codes unless
/// `colour` is on, and a heartbeat every 30 s. Output of an attempt that will be repeated is held back, and
/// shown if the task fails. A task's own bytes are passed on as they are; to a terminal as Harmless makes
/// them.
class Plain final : public run::Observer, public run::LiveOutput {
 public:
  /// `terminal` outlives this, and so does the job that run_started names.
  Plain(Terminal& terminal, PlainOptions options);
  Plain(const Plain&) = delete;
  Plain& operator=(const Plain&) = delete;
  /// Leaves no live line behind, so that an error can be printed next.
  ~Plain() override;

  /// Redraws the live line (at most ten times a second), prints the heartbeat when it is due, and makes what
  /// was printed visible. `now` counts from the start of the run. Call it every `tick_interval`.
  /// Throws like Terminal::flush: a full disk or a reader that went away often shows here first, and must
  /// stop the run.
  void tick(Duration now);
  static constexpr Duration tick_interval = std::chrono::milliseconds(100);

  /// Keeps off the terminal while a task has it.
  void lend_terminal(bool lent);

  /// Prints what runs now; `now` as for tick(). Throws like it.
  void show_status(Duration now, const LastOutput& last_output);
  /// A line of gather's own beside the tasks': "gather: …".
  void note(std::string_view sentence);

  void run_started(const job::Job& job, const run::Record& record) override;
  void attempt_started(job::TaskId id, int number) override;
  void attempt_is_slow(job::TaskId id, Duration since_start) override;
  void attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                      const run::AttemptOutput& output) override;
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override;
  void attempt_wrote(job::TaskId id, run::Stream stream, std::string_view piece) noexcept override;
  void run_stopping(std::string_view why) override;
  void run_ended(const run::Record& record) override;

 private:
  void say(std::string_view text);  // Whole lines, to standard error.
  void say_line(std::string_view word, run::State paint, std::optional<Duration> length,
                std::string_view text);
  void show_ended(job::TaskId id, const run::TaskRecord& task, std::span<const run::AttemptOutput> outputs);
  void show_outputs(job::TaskId id, const run::TaskRecord& task, std::span<const run::AttemptOutput> outputs);
  void note_failure(job::TaskId id, const run::AttemptOutput& output);
  void pass_on(job::TaskId id, const run::AttemptOutput& output);
  void pass_on(job::TaskId id, const run::Output& output, bool to_out);
  void erase_live_line();
  void flush_if_due();
  void draw(std::size_t columns);
  std::string progress_text() const;

  Terminal& terminal_;
  PlainOptions options_;
  std::optional<Streamed> streamed_;  // With `streamed`.
  std::exception_ptr failure_;        // What attempt_wrote() could not throw.
  const job::Job* job_ = nullptr;
  Running running_{0};
  std::vector<Failure> failures_;  // Those whose last lines the digest shows.
  std::unordered_map<job::TaskId, int>
      shown_early_;  // With -v: the last attempt whose output has been shown.
  /// An ending that waits for those before it.
  struct Ended {
    run::TaskRecord task;
    std::vector<run::AttemptOutput> outputs;
  };
  std::map<job::TaskId, Ended> ended_early_;  // With in_order.
  run::Backlog backlog_;                      // Their outputs.
  job::TaskId next_in_order_{};
  // The latest time that an event or a tick named; starts are dated by it, so the times of the live line can
  // be a tick too long. The record's are exact.
  Duration now_{};
  Duration flushed_at_{};
  Duration drawn_at_{};
  Duration heartbeat_at_{};
  bool live_line_shown_ = false;
  bool fresh_line_ = true;  // What was written last, where our lines go, ended with a newline.
};

}  // namespace gather::report
