/// A label before each line of a text that comes in pieces.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace gather::report {

class Labels {
 public:
  /// An empty label changes nothing.
  explicit Labels(std::string label) : label_(std::move(label)) {}

  /// The piece with its labels; good until the next call.
  std::string_view on(std::string_view piece) {
    if (label_.empty()) return piece;
    labelled_.clear();
    while (!piece.empty()) {
      if (line_begins_) labelled_ += label_;
      const std::size_t end = std::min(piece.find('\n'), piece.size() - 1) + 1;
      labelled_ += piece.substr(0, end);
      line_begins_ = piece[end - 1] == '\n';
      piece.remove_prefix(end);
    }
    return labelled_;
  }

 private:
  std::string label_;
  std::string labelled_;
  bool line_begins_ = true;
};

}  // namespace gather::report
