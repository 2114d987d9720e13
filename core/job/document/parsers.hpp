/// Between the two parsers and the tree: a Composer puts together what a parser reports.
#pragma once

#include "core/job/document/document.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace gather::job {

/// How much a node holds, aliases filled in.
struct Weight {
  std::uint64_t nodes = 0;
  std::uint64_t bytes = 0;   ///< Of text.
  std::uint32_t height = 0;  ///< Levels of lists and mappings; 0 for a scalar.
};

class Composer {
 public:
  /// Which node was made, and what it weighs.
  struct Made {
    std::uint32_t node = 0;
    Weight weight;
  };

  Composer(Document& document, const Lines& lines, Findings& findings)
      : document_(document), lines_(lines), findings_(findings) {}

  Made scalar(std::string_view text, Extent extent, bool plain);
  /// One whose templates wait; see Value::late.
  Made late_scalar(std::string_view text, Extent extent);
  /// One that a template has made; see Value::filled.
  Made filled_scalar(std::string_view text, Extent extent, bool plain);

  /// False (and the error is found) if that is too deep.
  bool open(Kind kind, Extent extent);
  std::uint32_t opened() const { return frames_.back().node; }
  std::size_t depth() const { return frames_.size(); }

  /// Ends the innermost list or mapping; looks through a mapping's keys.
  Made close();

  /// `original` once more. False (and the error is found) if that is too deep or too much.
  bool repeat(const Made& original, Extent extent);

  Findings& findings() { return findings_; }

 private:
  struct Frame {
    std::uint32_t node;
    std::uint32_t last = Document::none;  ///< The last child.
    std::uint32_t height = 1;
    Weight before;  ///< What the document weighed when this was opened.
  };

  std::uint32_t attach(const Document::Node& node);
  void check_keys(std::uint32_t map);
  bool allowed_key(std::uint32_t key);
  void twice(std::uint32_t first, std::uint32_t second);
  std::string_view key_text(std::uint32_t key) const { return Value(document_, key).text(); }

  Document& document_;
  const Lines& lines_;
  Findings& findings_;
  std::vector<Frame> frames_;
  Weight total_;    ///< Height unused.
  Weight aliased_;  ///< Height unused.
};

/// Feeds `text` to `composer`. False if the syntax is wrong or a limit is passed; the error is in its
/// findings. Requires: check_encoding has passed `text`.
bool parse_yaml(std::string_view text, Composer& composer);
bool parse_json(std::string_view text, Composer& composer);

}  // namespace gather::job
