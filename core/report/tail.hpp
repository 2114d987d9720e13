/// The end of what a task wrote, for people: its last lines without escape sequences.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gather::report {

/// Takes output in pieces and keeps the end of it, at most 16 KiB.
class Tail {
 public:
  static constexpr std::size_t most_kept = std::size_t{16} * 1024;

  void add(std::string_view piece);

  /// The last `most` lines that are not blank at the end, each inert and without escape sequences; of a line
  /// overwritten with carriage returns only what stood last.
  std::vector<std::string> lines(std::size_t most) const;

 private:
  std::string kept_;
  bool whole_ = true;  ///< Nothing was dropped, so that the first line in `kept_` is a whole one.
};

/// `line` without ANSI escape sequences (CSI and OSC).
std::string without_escapes(std::string_view line);

}  // namespace gather::report
