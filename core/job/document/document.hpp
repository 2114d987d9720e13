/// The parsed file: one immutable tree, whether it was written in YAML or JSON, that knows where each key and
/// value stands. Knows nothing of jobs.
///
/// Nodes are 24 bytes in one arena and point at each other by number; text stays in the source wherever it
/// stands there as it is meant (nearly everywhere), and only the rest is copied.
#pragma once

#include "core/job/document/lines.hpp"
#include "core/job/document/problem.hpp"
#include "core/job/document/source.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// How deep lists and mappings may be nested, aliases filled in.
inline constexpr std::uint32_t deepest = 64;
/// How many nodes aliases may add; and how many bytes of text.
inline constexpr std::uint64_t most_aliased_nodes = 100'000;
inline constexpr std::uint64_t most_aliased_bytes = largest_source;

enum class Kind : std::uint8_t { scalar, list, map };

class Document;

/// A node of a document, as cheap to copy as a pointer; the document outlives it. May be none.
class Value {
 public:
  Value() = default;
  Value(const Document& document, std::uint32_t node) : document_(&document), node_(node) {}

  explicit operator bool() const { return document_ != nullptr; }

  Kind kind() const;
  bool is_scalar() const { return kind() == Kind::scalar; }
  bool is_list() const { return kind() == Kind::list; }
  bool is_map() const { return kind() == Kind::map; }

  /// Of a scalar: what it says, escapes and folding undone. A plain one (not quoted, no block; in JSON a
  /// number, true, false or null) is its source text, still without a type.
  std::string_view text() const;
  bool plain() const;
  /// Of a scalar: its templates name what is known only once other tasks have run; see fill.hpp. What it says
  /// is as it was written then, or nothing if they have a fault, which has been found.
  bool late() const;
  /// Of a scalar: it came through a template, so that somebody else may have chosen it.
  bool filled() const;
  Format format() const;

  /// A plain scalar without a character, as the value in `key:`.
  bool absent() const { return is_scalar() && plain() && text().empty(); }

  /// Of a scalar all of it, of a list or mapping its first character.
  Extent extent() const;

  /// Items of a list, keys plus values of a mapping.
  std::size_t children() const;

  /// The first child; in a mapping the first key. None if there is none.
  Value first() const;
  /// The next one with the same parent; in a mapping a key's value, and after it the next key.
  Value next() const;

 private:
  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

struct Member {
  Value key;
  Value value;
};

/// For range-for over a list: its items.
class Items {
 public:
  explicit Items(Value list) : at_(list.first()) {}
  Items begin() const { return *this; }
  Value end() const { return {}; }
  Value operator*() const { return at_; }
  Items& operator++() { return at_ = at_.next(), *this; }
  friend bool operator==(const Items& items, const Value&) { return !items.at_; }

 private:
  Value at_;
};

/// For range-for over a mapping: its members in the order written. Keys are text and differ.
class Members {
 public:
  explicit Members(Value map) : at_(map.first()) {}
  Members begin() const { return *this; }
  Value end() const { return {}; }
  Member operator*() const { return {at_, at_.next()}; }
  Members& operator++() { return at_ = at_.next().next(), *this; }
  friend bool operator==(const Members& members, const Value&) { return !members.at_; }

 private:
  Value at_;
};

class Document {
 public:
  Document(std::string_view body, Format format) : body_(body), format_(format) {}
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  /// None for a file without content.
  Value root() const { return size_ > 0 ? Value(*this, 0) : Value(); }

 private:
  friend class Composer;  // Writes it, once.
  friend class Value;

  static constexpr std::uint32_t none = ~0u;

  struct Node {
    Extent extent;
    std::uint32_t first = none;  ///< A scalar's text begins here; else the first child.
    std::uint32_t size = 0;      ///< A scalar's bytes; else the number of children.
    std::uint32_t next = none;
    Kind kind = Kind::scalar;
    bool plain = false;
    bool copied = false;  ///< The text is in copies_, not in body_.
    bool late = false;
    bool filled = false;
  };

  // Chunks, so that growing never copies the tree nor needs its memory twice; only the first one grows, since
  // many documents are small.
  static constexpr std::uint32_t chunk_bits = 14;
  const Node& node(std::uint32_t i) const { return chunks_[i >> chunk_bits][i & ((1u << chunk_bits) - 1)]; }
  Node& node(std::uint32_t i) { return chunks_[i >> chunk_bits][i & ((1u << chunk_bits) - 1)]; }
  std::uint32_t add(const Node& node);
  void grow();

  std::string_view body_;
  Format format_;
  std::string copies_;
  std::vector<std::unique_ptr<Node[]>> chunks_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

/// Reads `source` into a tree. False if there is none: then `findings` holds exactly one error, the place
/// where the text stops being UTF-8, YAML or JSON, or goes past a limit. Otherwise it holds what is forbidden
/// but understood: keys written twice, tags, merge keys, keys that are no text, a second document. What these
/// name is left out of the tree. Requires: `document` is empty and of this source.
bool parse(const Source& source, const Lines& lines, Document& document, Findings& findings);

/// As JSON, by the types of YAML's core schema; `indent` spaces a level, or everything on one line for none.
std::string to_json(Value value, std::optional<int> indent = std::nullopt);

}  // namespace gather::job
