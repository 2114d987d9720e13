/// A run of nothing but fetches as text on standard error while it goes on, for `gather fetch`: a line per
/// failure, a live line with bytes, rate and time left, and a summary. Standard output is not touched.
#pragma once

#include "core/report/plain.hpp"
#include "core/report/running.hpp"
#include "core/report/terminal.hpp"
#include "core/report/words.hpp"
#include "core/run/observer.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gather::report {

/// What is shown between the start and the end.
enum class Progress : std::uint8_t {
  bar,    ///< The live line on a terminal; elsewhere a heartbeat every 30 s.
  lines,  ///< A line for each file as it ends, no live line.
  none,
};

struct FetchesOptions {
  Verbosity verbosity =
      Verbosity::normal;  ///< quiet: only failures; verbose: also each file, start and retry.
  Colour colour = Colour::off;
  Progress progress = Progress::bar;
};

/// "1.2 MB", "870 B": decimal units, three digits or so.
std::string show_bytes(std::uint64_t bytes);

class Fetches final : public run::Observer {
 public:
  /// `received` tells the body bytes that have come so far. All outlive this, and so does the job.
  Fetches(Terminal& terminal, FetchesOptions options, std::function<std::uint64_t()> received)
      : terminal_(terminal), options_(options), received_(std::move(received)) {}
  Fetches(const Fetches&) = delete;
  Fetches& operator=(const Fetches&) = delete;
  /// Leaves no live line behind, so that an error can be printed next.
  ~Fetches() override;

  /// As Plain::tick, at the same interval.
  void tick(Duration now);

  /// As Plain::show_status; fetches write nothing.
  void show_status(Duration now);

  void run_started(const job::Job& job, const run::Record& record) override;
  void attempt_started(job::TaskId id, int number) override;
  void attempt_failed(job::TaskId id, const run::AttemptRecord& attempt, Duration wait,
                      const run::AttemptOutput& output) override;
  void task_ended(job::TaskId id, const run::TaskRecord& task,
                  std::span<const run::AttemptOutput> outputs) override;
  void run_stopping(std::string_view why) override;
  void run_ended(const run::Record& record) override;

  /// Takes the live line away, so that something else can be written to a terminal that both streams share.
  void erase_live_line();

 private:
  bool detailed() const {
    return options_.verbosity == Verbosity::verbose || options_.progress == Progress::lines;
  }
  void say(std::string_view text);  // A line, without its newline.
  std::string progress_text() const;

  Terminal& terminal_;
  FetchesOptions options_;
  std::function<std::uint64_t()> received_;
  const job::Job* job_ = nullptr;
  Running running_{0};
  Duration now_{};
  Duration drawn_at_{};
  Duration heartbeat_at_{};
  bool live_line_shown_ = false;
};

}  // namespace gather::report
