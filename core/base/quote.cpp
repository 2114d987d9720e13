#include "core/base/quote.hpp"

#include "core/base/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace gather {
namespace {

bool acts_on_a_terminal(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x2028 || c == 0x2029 ||
         c == 0xfeff;
}

std::string written_out(char32_t c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto value = static_cast<std::uint32_t>(c);
  return value < 0x100 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
}

}  // namespace

std::string inert(std::string_view text) {
  // Most texts are a name or a URL.
  if (std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c < 0x7f; }))
    return std::string(text);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    if (!step.valid)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    else if (acts_on_a_terminal(step.character))
      result += written_out(step.character);
    else
      result += text.substr(0, step.length);
    text.remove_prefix(step.length);
  }
  return result;
}

std::string in_quotes(std::string_view text, std::size_t most) {
  std::string_view rest = text;
  std::size_t characters = 0;
  while (!rest.empty() && characters < most) {
    rest.remove_prefix(decode_utf8(rest).length);
    ++characters;
  }
  return fmt::format("\"{}{}\"", inert(text.substr(0, text.size() - rest.size())), rest.empty() ? "" : "…");
}

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) return std::string(word);
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result + "'";
}

std::string shell_quoted(std::span<const std::string> words) {
  std::string result;
  for (const std::string& word : words) {
    if (!result.empty()) result += ' ';
    result += shell_quoted(word);
  }
  return result;
}

}  // namespace gather
