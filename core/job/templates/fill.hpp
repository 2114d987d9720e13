/// Fills templates into a tree, after parsing: a value can't break the syntax, and keeps its type where it is
/// all that a template's text holds. Knows no results and no tasks, only what a Scope says.
#pragma once

#include "core/job/document/parsers.hpp"
#include "core/job/templates/scope.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// Where a value stands, as far as templates are concerned.
enum class Place : std::uint8_t {
  top,          ///< The file.
  tasks,        ///< `tasks`
  task,         ///< One of them, or `defaults`.
  fetch,        ///< `fetch`: a URL, or a mapping.
  url,          ///< A URL: what is filled in behind its beginning is percent-encoded.
  url_or_path,  ///< The same, if it begins as a URL does.
  urls,         ///< A list of URLs.
  holds_json,   ///< `stdin` or `expect`: a mapping with `json`.
  data,         ///< Below `json`: any value is as good as another.
  verbatim,     ///< Nothing is filled in, or has been filled in already.
  other,
};

/// Copies values into a document, with their templates filled in.
class Filler {
 public:
  /// Which templates: those of a file, or those that had to wait (Value::late).
  enum class Of : std::uint8_t { file, task };

  /// All of them outlive this.
  Filler(Of of, Scope& scope, Composer& composer) : of_(of), scope_(scope), composer_(composer) {}

  /// Copies `value` and all below it, and gives the node that this has made. A text of which something is
  /// known only later is copied as it stands, and is `late`. What is wrong goes into the composer's findings.
  std::uint32_t copy(Value value, Place place);

  /// What has been made has holes, and is of no use: a limit was passed.
  bool broken() const { return broken_; }

 private:
  std::uint32_t copy_children(Value value, Place place);
  std::uint32_t copy_text(Value value, Place place);
  std::uint32_t insert(Value at, const Path& path, const Meaning& meaning, Place place);
  /// False, and found, if what the path stands for can't be part of a text.
  bool can_be_joined(Value at, const Path& path, const Meaning& meaning);
  /// The pieces as one text; none if a fault was found. Requires: each can be joined.
  std::optional<std::string> joined(Value at, const Template& text, const std::vector<Meaning>& meanings,
                                    Place place);
  /// In place of one with a fault: unknown, so that nobody finds another one there.
  std::uint32_t nothing(Value at) { return composer_.late_scalar("", at.extent()).node; }
  void fault(Value at, std::string message, std::string hint = {});
  bool too_much(Value at, std::uint64_t bytes);

  Of of_;
  Scope& scope_;
  Composer& composer_;
  std::optional<Extent> inserting_;  ///< Where the template stands whose meaning is copied.
  std::uint64_t nodes_ = 0;          ///< Filled in.
  std::uint64_t bytes_ = 0;
  bool broken_ = false;
};

}  // namespace gather::job
