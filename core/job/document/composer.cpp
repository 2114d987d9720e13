#include "core/job/document/parsers.hpp"
#include "core/job/document/text_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace gather::job {

std::uint32_t Composer::attach(const Document::Node& added) {
  const std::uint32_t i = document_.add(added);
  if (!frames_.empty()) {
    Frame& parent = frames_.back();
    (parent.last == Document::none ? document_.node(parent.node).first : document_.node(parent.last).next) =
        i;
    ++document_.node(parent.node).size;
    parent.last = i;
  }
  ++total_.nodes;
  return i;
}

Composer::Made Composer::scalar(std::string_view text, Extent extent, bool plain) {
  Document::Node node{.extent = extent, .size = static_cast<std::uint32_t>(text.size()), .plain = plain};
  node.first = extent.begin + (plain ? 0 : 1);  // Behind the quote.
  if (document_.body_.substr(std::min<std::size_t>(node.first, document_.body_.size()), text.size()) !=
      text) {
    node.first = static_cast<std::uint32_t>(document_.copies_.size());
    node.copied = true;
    document_.copies_ += text;
  }
  total_.bytes += text.size();
  return {attach(node), {1, text.size(), 0}};
}

Composer::Made Composer::late_scalar(std::string_view text, Extent extent) {
  const Made made = scalar(text, extent, false);
  document_.node(made.node).late = true;
  return made;
}

Composer::Made Composer::filled_scalar(std::string_view text, Extent extent, bool plain) {
  const Made made = scalar(text, extent, plain);
  document_.node(made.node).filled = true;
  return made;
}

bool Composer::open(Kind kind, Extent extent) {
  if (frames_.size() == deepest)
    return findings_.only(extent, fmt::format("lists and mappings are nested more than {} deep", deepest));
  const Weight before = total_;
  frames_.push_back({.node = attach({.extent = extent, .kind = kind}), .before = before});
  return true;
}

Composer::Made Composer::close() {
  const Frame frame = frames_.back();
  frames_.pop_back();
  if (document_.node(frame.node).kind == Kind::map) check_keys(frame.node);
  if (!frames_.empty()) frames_.back().height = std::max(frames_.back().height, frame.height + 1);
  return {frame.node, {total_.nodes - frame.before.nodes, total_.bytes - frame.before.bytes, frame.height}};
}

bool Composer::repeat(const Made& original, Extent extent) {
  const Weight& weight = original.weight;
  if (frames_.size() + weight.height > deepest)
    return findings_.only(extent,
                          fmt::format("with this alias filled in, lists and mappings are nested more than "
                                      "{} deep",
                                      deepest));
  aliased_.nodes += weight.nodes;
  aliased_.bytes += weight.bytes;
  if (aliased_.nodes > most_aliased_nodes || aliased_.bytes > most_aliased_bytes)
    return findings_.only(extent, "aliases fill in more than 100,000 values or 256 MB of text",
                          "write `defaults`, or fewer aliases");
  Document::Node copy = document_.node(original.node);  // The children are shared.
  copy.extent = extent;
  copy.next = Document::none;
  attach(copy);
  total_.nodes += weight.nodes - 1;
  total_.bytes += weight.bytes;
  if (!frames_.empty()) frames_.back().height = std::max(frames_.back().height, weight.height + 1);
  return true;
}

// Members with a key that is no key, or comes a second time, are found and taken out of the chain.
void Composer::check_keys(std::uint32_t map) {
  TextIndex seen(document_.node(map).size / 2);
  std::uint32_t last_kept = Document::none;
  for (std::uint32_t key = document_.node(map).first; key != Document::none;) {
    const std::uint32_t value = document_.node(key).next;
    assert(value != Document::none);
    const std::uint32_t next = document_.node(value).next;
    bool keep = allowed_key(key);
    if (const auto first = keep ? seen.add(key_text(key), key) : std::nullopt) {
      twice(*first, key);
      keep = false;
    }
    if (keep) {
      last_kept = value;
    } else {
      (last_kept == Document::none ? document_.node(map).first : document_.node(last_kept).next) = next;
      document_.node(map).size -= 2;
    }
    key = next;
  }
}

bool Composer::allowed_key(std::uint32_t key) {
  const Document::Node& node = document_.node(key);
  if (node.kind != Kind::scalar) {
    findings_.error(node.extent,
                    fmt::format("a key must be text, not a {}", node.kind == Kind::list ? "list" : "mapping"),
                    "quote it if it is meant as text");
    return false;
  }
  if (node.plain && key_text(key) == "<<") {
    findings_.error(node.extent, "merge keys (`<<`) are not supported",
                    "use `defaults` for what every task has, or `key: *alias` for one value");
    return false;
  }
  return true;
}

void Composer::twice(std::uint32_t first, std::uint32_t second) {
  const std::uint32_t line = lines_.line_number(document_.node(first).extent.begin);
  findings_.error(document_.node(second).extent,
                  fmt::format("{} is written twice, first on line {}", code(key_text(second)), line),
                  "remove or rename one of them");
}

}  // namespace gather::job
