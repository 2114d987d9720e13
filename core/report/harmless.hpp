/// What a program writes, made fit for a terminal that others share: printable text and colours.
#pragma once

#include <string>
#include <string_view>

namespace gather::report {

/// Takes the text in pieces, cut anywhere. Newlines, tabs and colours (SGR sequences) stay; a carriage return
/// becomes a newline, unless one follows; everything else that acts on a terminal (cursor moves, titles, C1
/// controls, bidirectional overrides) and what is no UTF-8 is written out, as inert() does.
class Harmless {
 public:
  /// The piece, as far as it can be judged yet; good until the next call.
  std::string_view on(std::string_view piece);
  /// What was held back, at the end of the text.
  std::string_view rest();

 private:
  void take(std::string_view text, bool is_end);

  std::string held_;  // The begin of a sequence or of a character.
  std::string done_;
};

}  // namespace gather::report
