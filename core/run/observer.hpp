/// Who hears of a run while it goes on. Reporters implement it; nothing below them prints.
#pragma once

#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace gather::run {

/// What a task wrote, kept outside the record because it may be large. Can be read more than once.
class Output {
 public:
  using Sink = std::function<void(std::string_view)>;

  virtual ~Output() = default;
  virtual std::uint64_t size() const = 0;
  /// Calls `sink` with everything, in order, in pieces. Throws gather::Error if what was spilled can't be
  /// read.
  virtual void read(const Sink& sink) const = 0;
  /// The bytes of memory that it takes, if all of it is there; nothing if it is elsewhere, too.
  virtual std::optional<std::size_t> memory() const { return std::nullopt; }
  /// The same as read() of its last `most` bytes.
  virtual void read_end(std::uint64_t most, const Sink& sink) const {
    std::uint64_t before = size() > most ? size() - most : 0;
    read([&](std::string_view piece) {
      const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(before, piece.size()));
      before -= skipped;
      if (skipped < piece.size()) sink(piece.substr(skipped));
    });
  }
};

/// What one attempt wrote; null where it wrote nothing. Who copies it keeps it.
struct AttemptOutput {
  int attempt = 1;
  std::shared_ptr<const Output> out;
  std::shared_ptr<const Output> err;
  std::shared_ptr<const Output> body = {};  ///< Of a fetch whose body another task reads; nobody prints it.
};

/// Called on the loop's thread, in the order in which things happen. Returns quickly; throws only
/// gather::Error, which stops the run.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void run_started(const job::Job&, const Record&) {}
  virtual void attempt_started(job::TaskId, int /*number*/) {}
  /// An attempt has run for as long as its task's slow_after, and goes on.
  virtual void attempt_is_slow(job::TaskId, Duration /*since_start*/) {}
  /// An attempt failed and will be repeated in `wait`. Its output is held back, and comes again with
  /// task_ended.
  virtual void attempt_failed(job::TaskId, const AttemptRecord&, Duration /*wait*/, const AttemptOutput&) {}
  /// A task has reached its final state. The outputs are of all its attempts, in order; empty if it never
  /// ran.
  virtual void task_ended(job::TaskId, const TaskRecord&, std::span<const AttemptOutput>) {}
  virtual void run_stopping(std::string_view /*why*/) {}
  virtual void run_ended(const Record&) {}
};

}  // namespace gather::run
