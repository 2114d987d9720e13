#include "core/report/line_mixer.hpp"

#include <cstring>
#include <utility>

namespace gather::report {
namespace {

constexpr std::size_t longest_held = std::size_t{64} * 1024;  // Of a line, for each writer.

/// Behind the last newline, 0 if there is none. memrchr, because rfind looks at each byte for itself.
std::size_t end_of_lines(std::string_view text) {
  const void* const last = memrchr(text.data(), '\n', text.size());
  return last == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(last) - text.data()) + 1;
}

}  // namespace

void LineMixer::add(Writer writer, std::string_view piece) {
  if (piece.empty()) return;
  Line& line = lines_[writer];
  if (line.is_waiting) {
    line.waiting.append(piece);
  } else if (holder_ && *holder_ != writer) {
    line.is_waiting = true;
    waiting_.push_back(writer);
    line.waiting.append(piece);
  } else {
    take(writer, line, piece);
    free_place();
  }
}

void LineMixer::end(Writer writer) {
  const auto found = lines_.find(writer);
  if (found == lines_.end()) return;
  Line& line = found->second;
  if (line.is_waiting) {
    line.ended = true;
    return;
  }
  if (holder_ && *holder_ != writer) {
    if (line.begun.empty()) {
      lines_.erase(found);
      return;
    }
    line.ended = line.is_waiting = true;
    waiting_.push_back(writer);
    return;
  }
  if (!line.begun.empty()) pass(writer, line.begun);
  holder_.reset();
  unfinished_.reset();
  lines_.erase(found);
  free_place();
}

// Requires: nobody else has the place.
void LineMixer::take(Writer writer, Line& line, std::string_view piece) {
  const std::size_t end = end_of_lines(piece);
  if (end > 0) {
    if (!line.begun.empty()) pass(writer, std::exchange(line.begun, {}));
    pass(writer, piece.substr(0, end));
    piece.remove_prefix(end);
    holder_.reset();
  }
  if (piece.empty()) return;
  if (holder_) {  // In the middle of its long line.
    pass(writer, piece);
  } else if (line.begun.size() + piece.size() > longest_held) {
    holder_ = writer;
    if (!line.begun.empty()) pass(writer, std::exchange(line.begun, {}));
    pass(writer, piece);
  } else {
    line.begun += piece;
  }
}

void LineMixer::pass(Writer writer, std::string_view text) {
  if (!fresh_ && unfinished_ != writer) {
    fresh_ = true;
    sink_(writer, "\n");
  }
  fresh_ = text.ends_with('\n');
  unfinished_ = writer;
  sink_(writer, text);
}

// Lets those go on that have waited for the end of a long line.
void LineMixer::free_place() {
  if (freeing_) return;
  freeing_ = true;
  while (!holder_ && !waiting_.empty()) {
    const Writer writer = waiting_.front();
    waiting_.pop_front();
    Line& line = lines_.at(writer);
    while (!line.waiting.empty()) {
      const std::string piece(line.waiting.front());
      line.waiting.drop(piece.size());
      take(writer, line, piece);
    }
    line.is_waiting = false;
    if (line.ended) end(writer);
  }
  freeing_ = false;
}

}  // namespace gather::report
