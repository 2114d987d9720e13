/// The lines of many writers for one place, as they come and whole.
#pragma once

#include "core/run/overflow.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gather::report {

/// Passes lines on as soon as they are whole. A line that is longer than 64 KiB takes the place for its
/// writer until it ends; what the others write meanwhile waits, in files if it is much.
class LineMixer {
 public:
  enum class Writer : std::uint64_t {};
  /// Is given text that follows what it was given before: whole lines, or a stretch of a long one.
  using Sink = std::function<void(Writer, std::string_view)>;

  explicit LineMixer(Sink sink) : sink_(std::move(sink)) {}

  /// Throws what the sink does, and Error(task_failed) if something that waits can't be kept.
  void add(Writer writer, std::string_view piece);

  /// Passes on what is left of that writer. Where its last line has no newline it gets none, unless something
  /// else follows.
  void end(Writer writer);

 private:
  struct Line {
    std::string begun;  // Of a line that is not whole yet; empty for one that has the place.
    run::Overflow waiting{std::size_t{16} * 1024};  // What comes after `begun`, while another has the place.
    bool is_waiting = false;
    bool ended = false;
  };

  void take(Writer writer, Line& line, std::string_view piece);
  void pass(Writer writer, std::string_view text);
  void free_place();

  Sink sink_;
  std::unordered_map<Writer, Line> lines_;
  std::optional<Writer> holder_;  // Who has the place, in the middle of a line.
  std::deque<Writer> waiting_;
  bool freeing_ = false;
  bool fresh_ = true;                 // What was passed on last ended with a newline; if not,
  std::optional<Writer> unfinished_;  // this one may go on with it.
};

}  // namespace gather::report
