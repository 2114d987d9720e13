#include "core/net/link.hpp"

#include "core/net/headers.hpp"

#include <algorithm>
#include <cstddef>

namespace gather::net {
namespace {

constexpr std::string_view blanks = " \t";

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
}

/// Takes a token or a quoted string off the beginning of `text`.
std::string take_value(std::string_view& text) {
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find_first_of(" \t,;"), text.size());
    const std::string value(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }
  std::string value;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    value += text[i];
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return value;
}

/// Whether the list of words `relations` has this one.
bool has_word(std::string_view relations, std::string_view relation) {
  while (!relations.empty()) {
    skip_blanks(relations);
    const std::size_t end = std::min(relations.find_first_of(blanks), relations.size());
    if (same_name(relations.substr(0, end), relation)) return true;
    relations.remove_prefix(end);
  }
  return false;
}

}  // namespace

std::optional<std::string> link_target(std::string_view value, std::string_view relation) {
  while (true) {
    value.remove_prefix(std::min(value.find_first_not_of(" \t,"), value.size()));
    if (!value.starts_with('<')) return std::nullopt;
    const std::size_t end = value.find('>');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view target = value.substr(1, end - 1);
    value.remove_prefix(end + 1);
    std::optional<std::string> relations;
    bool is_about_this = true;
    for (skip_blanks(value); value.starts_with(';'); skip_blanks(value)) {
      value.remove_prefix(1);
      skip_blanks(value);
      const std::size_t name_end = std::min(value.find_first_of(" \t=;,"), value.size());
      const std::string_view name = value.substr(0, name_end);
      value.remove_prefix(name_end);
      skip_blanks(value);
      std::string text;
      if (value.starts_with('=')) {
        value.remove_prefix(1);
        skip_blanks(value);
        text = take_value(value);
      }
      if (same_name(name, "rel") && !relations) relations = std::move(text);
      if (same_name(name, "anchor")) is_about_this = false;
    }
    if (relations && is_about_this && has_word(*relations, relation)) return std::string(target);
    if (!value.empty() && !value.starts_with(',')) return std::nullopt;
  }
}

}  // namespace gather::net
