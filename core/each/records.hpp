/// Cuts a stream into pieces of whole records, as GNU parallel's --pipe does. It knows no descriptor: bytes
/// come in, pieces go out, and no more is kept than one piece and what has been read beyond it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gather::each {

struct RecordOptions {
  std::string start = {};  ///< What a record begins with; empty for anything.
  std::string end = "\n";  ///< What it ends with. Without start and end, pieces are cut anywhere.
  /// How much is read before it is cut behind the last record that is whole; at least 1.
  std::size_t block = std::size_t{1024} * 1024;
  std::optional<std::size_t> count =
      {};               ///< So many records for each piece, whatever their size; at least 1.
  bool header = false;  ///< The first line begins every piece.
};

/// A record longer than the block makes the block grow by a third until it fits. A record has at least one
/// byte before its end, so that with -N an empty line goes along with the line behind it; GNU parallel counts
/// so, too.
class RecordSplitter {
 public:
  /// Requires: not both `count` and neither start nor end.
  explicit RecordSplitter(RecordOptions options);

  void add(std::string_view bytes);
  /// Nothing more will be added: what is left makes the last piece.
  void end() { ended_ = true; }

  /// The next piece, never empty but for its header; nothing if more bytes are needed, or all has been given.
  std::optional<std::string> next();

 private:
  std::string_view rest() const { return std::string_view(buffer_).substr(begin_); }
  bool take_header();
  std::optional<std::string> next_counted();
  std::optional<std::string> next_block();
  std::optional<std::string> last();
  std::string take(std::size_t length);

  RecordOptions options_;
  std::string boundary_;  // End of one record and start of the next.
  std::string header_;
  bool header_wanted_;
  std::string buffer_;
  std::size_t begin_ = 0;  // Of what has not been given yet, in buffer_.
  bool ended_ = false;
  std::size_t round_;         // How much of rest() is looked at next: a whole number of blocks.
  std::size_t searched_ = 1;  // With count: where in rest() the next boundary is looked for.
  std::size_t found_ = 0;     // With count: boundaries before that.
};

/// A size for --block: bytes, or as `parse_size` has it, but a single capital K, M, G or T is a power of
/// 1024, as GNU parallel has it. Throws Error(usage) for what is none, and for 0.
std::size_t read_block_size(std::string_view text);

}  // namespace gather::each
