/// From byte offsets of a text to lines and columns, and back.
#pragma once

#include "core/job/model.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace gather::job {

/// Bytes [begin, end) of a source's body.
struct Extent {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// The lines of a text that the caller keeps alive. LF, CR LF and a lone CR end a line, as in YAML.
///
/// Columns count characters. A line may be the whole file (JSON without line breaks), so the place last asked
/// for is kept: asking in the order of the text takes time linear in the text, in any other order it is
/// right.
class Lines {
 public:
  explicit Lines(std::string_view text);

  /// Requires: `offset` <= the size of the text.
  Position locate(std::uint32_t offset) const;

  /// The line alone: cheap in any order.
  std::uint32_t line_number(std::uint32_t offset) const;

  /// The reverse of locate; a column behind the line's end is the line's end.
  std::uint32_t offset(Position position) const;

  /// Without its line break. Empty for a line that is not there.
  std::string_view line(std::uint32_t number) const;

  /// Characters from extent.begin to extent.end or the line's end, whichever is first; at least 1.
  std::uint32_t width(Extent extent) const;

 private:
  struct Place {
    Position position{1, 1};
    std::uint32_t offset = 0;
  };

  std::string_view text_;
  std::vector<std::uint32_t> starts_;
  mutable Place last_;
};

}  // namespace gather::job
