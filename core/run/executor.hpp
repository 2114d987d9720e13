/// What the scheduler asks of whoever does the work: one executor per kind of action.
#pragma once

#include "core/async/task/co.hpp"
#include "core/job/model.hpp"
#include "core/run/kind.hpp"
#include "core/run/observer.hpp"
#include "core/run/outcome.hpp"
#include "core/run/record.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gather::run {

/// What an attempt is told. Lives as long as the attempt.
struct AttemptContext {
  const job::Job& job;
  job::TaskId id;
  int number;  ///< From 1.
  int slot;    ///< From 1.
  const std::string& run_id;
  const int&
      stop_signal;  ///< What to send first when it is cancelled; the run changes it when a signal comes in.

  std::size_t mirror = 0;  ///< Which of a fetch's URLs to ask, from 0; it is let in for that host alone.

  /// The task with its templates filled in; null if it has none.
  const job::Task* filled = nullptr;

  /// For an attempt that asks its host several times: waits until it may once more. Not for the first time.
  std::function<async::Co<>()> next_request = {};

  const job::Task& task() const { return filled == nullptr ? job[id] : *filled; }
};

/// What an attempt tells. Filled in as it goes, so that a cancelled one has said what it knew. Where one
/// mirror follows another it holds what the one before told.
struct AttemptResult {
  Outcome outcome;      ///< Ignored if the attempt ends cancelled: the run knows why it was.
  bool killed = false;  ///< When cancelled, it outlived its grace.
  std::optional<Usage> usage;
  std::optional<int> http_status;
  std::uint64_t bytes_in = 0;
  std::string sha256;
  std::shared_ptr<const Transfer> transfer;  ///< Null if no server was asked.
  bool leaked = false;
  std::shared_ptr<const Output> out;  ///< Null if it wrote nothing.
  std::unique_ptr<const Output> err;
  std::unique_ptr<const Output> body;    ///< Of a fetch that has no file, if another task reads it.
  std::vector<job::OutputValue> values;  ///< Of the task's outputs.
};

/// Runs attempts of one kind. Knows nothing of slots, retries, time limits or other tasks.
class Executor {
 public:
  virtual ~Executor() = default;

  /// Makes one attempt. A failure is an outcome, not an exception. Cancelled once, it stops politely within
  /// the task's grace and throws Cancelled on; cancelled again meanwhile, it stops at once.
  virtual async::Co<> attempt(const AttemptContext& context, AttemptResult& result) = 0;

  /// Ends what attempts have left behind and nobody has seen, but what may stay, and gives all of it as far
  /// as it is known. Called once all attempts of a run have ended. Throws gather::Error as they may.
  virtual async::Co<std::vector<LeftProcess>> clean_up() { co_return std::vector<LeftProcess>{}; }
};

/// One for each kind; they outlive the run.
struct Executors {
  Executor& sleep;
  Executor& process;
  Executor& fetch;

  Executor& operator[](Kind kind) const;
};

/// Waits on the loop's clock.
class SleepExecutor final : public Executor {
 public:
  async::Co<> attempt(const AttemptContext& context, AttemptResult& result) override;
};

}  // namespace gather::run
