#include "core/net/disposition.hpp"

#include "core/base/utf8.hpp"
#include "core/net/headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

namespace gather::net {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t longest_name = 255 - std::string_view(".part.meta").size();
constexpr std::size_t longest_extension = 16;  // With its dot; what is longer is none.

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void append_utf8(std::string& text, char32_t character) {
  const auto byte = [&](char32_t bits) { text += static_cast<char>(static_cast<unsigned char>(bits)); };
  if (character < 0x80) {
    byte(character);
  } else if (character < 0x800) {
    byte(0xc0 | (character >> 6U));
    byte(0x80 | (character & 0x3f));
  } else if (character < 0x10000) {
    byte(0xe0 | (character >> 12U));
    byte(0x80 | ((character >> 6U) & 0x3f));
    byte(0x80 | (character & 0x3f));
  } else {
    byte(0xf0 | (character >> 18U));
    byte(0x80 | ((character >> 12U) & 0x3f));
    byte(0x80 | ((character >> 6U) & 0x3f));
    byte(0x80 | (character & 0x3f));
  }
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    if (!step.valid) return false;
    text.remove_prefix(step.length);
  }
  return true;
}

std::string from_latin1(std::string_view text) {
  std::string result;
  for (const char c : text) append_utf8(result, static_cast<unsigned char>(c));
  return result;
}

/// Nothing where a `%` is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned byte = 0;
    if (text.size() - i < 3) return std::nullopt;
    const char* const end = text.data() + i + 3;
    if (std::from_chars(end - 2, end, byte, 16).ptr != end) return std::nullopt;
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

/// `UTF-8'en'%e2%82%ac`. Nothing if it is anything else, or in another charset.
std::optional<std::string> extended_value(std::string_view text) {
  const std::size_t charset_end = text.find('\'');
  if (charset_end == std::string_view::npos) return std::nullopt;
  const std::size_t language_end = text.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return std::nullopt;
  const std::string_view charset = text.substr(0, charset_end);
  auto decoded = percent_decoded(text.substr(language_end + 1));
  if (!decoded) return std::nullopt;
  if (same_name(charset, "utf-8")) return is_utf8(*decoded) ? decoded : std::nullopt;
  if (same_name(charset, "iso-8859-1")) return from_latin1(*decoded);
  return std::nullopt;
}

/// Takes a parameter's value off the beginning of `text`, up to the `;` behind it or the end.
std::string take_value(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string value(trimmed(text.substr(0, end)));
    text.remove_prefix(end);
    return value;
  }
  std::string value;
  std::size_t i = 1;
  for (; i < text.size() && text[i] != '"'; ++i) {
    const bool escapes =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escapes) ++i;
    value += text[i];
  }
  text.remove_prefix(std::min(text.find(';', i), text.size()));
  return value;
}

/// What is not shown, or changes how the rest is: an extension may look like another one.
bool is_treacherous(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

std::string without_treachery(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    if (is_treacherous(step.character))
      result += '_';
    else
      result += text.substr(0, step.length);
    text.remove_prefix(step.length);
  }
  return result;
}

/// At most `size` bytes from the beginning of `text`, which is UTF-8, ending with a whole character.
std::string_view beginning_of(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  return text.substr(0, size);
}

}  // namespace

std::optional<std::string> filename_in(std::string_view value) {
  std::optional<std::string> plain;
  std::optional<std::string> extended;
  while (!value.empty()) {
    const std::size_t end = value.find_first_of(";=");
    if (end == std::string_view::npos) break;
    const std::string_view name = trimmed(value.substr(0, end));
    const bool has_value = value[end] == '=';
    value.remove_prefix(end + 1);
    if (!has_value) continue;
    std::string text = take_value(value);
    if (value.starts_with(';')) value.remove_prefix(1);
    if (same_name(name, "filename*")) {
      if (!extended) extended = extended_value(text);
    } else if (same_name(name, "filename") && !plain) {
      plain = std::move(text);
    }
  }
  return extended ? extended : plain;
}

std::optional<std::string> harmless_name(std::string_view given) {
  const std::string decoded = is_utf8(given) ? std::string(given) : from_latin1(given);
  std::string_view last = decoded;
  if (const std::size_t slash = last.find_last_of("/\\"); slash != std::string_view::npos)
    last.remove_prefix(slash + 1);
  last = trimmed(last);
  if (last.empty() || last == "." || last == "..") return std::nullopt;
  std::string name = without_treachery(last);
  if (name.front() == '.' || name.front() == '-') name.front() = '_';
  if (name.size() > longest_name) {
    const std::size_t dot = name.rfind('.');
    const std::string extension =
        dot == std::string::npos || name.size() - dot > longest_extension ? "" : name.substr(dot);
    name = std::string(beginning_of(name, longest_name - extension.size())) + extension;
    name.resize(trimmed(name).size());  // It begins with none, and may end in blanks now.
  }
  if (name.ends_with(".part") || name.ends_with(".part.meta")) name.back() = '_';
  return name;
}

}  // namespace gather::net
