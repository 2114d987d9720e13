#include "core/report/tail.hpp"

#include "core/base/quote.hpp"

#include <algorithm>

namespace gather::report {
namespace {

constexpr std::size_t longest_line = 400;  // Bytes; a minified file on one line says nothing more.
constexpr char escape = '\x1b';

/// The length of the escape sequence at the start of `text`, which begins with ESC.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  if (text[1] == '[') {  // CSI: ends with a byte from @ to ~.
    const auto end = std::ranges::find_if(text.substr(2), [](char c) { return c >= '@' && c <= '~'; });
    return std::min(text.size(), static_cast<std::size_t>(end - text.begin()) + 1);
  }
  if (text[1] == ']') {  // OSC: ends with BEL or ESC \.
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') return i + 1;
      if (text[i] == escape && i + 1 < text.size() && text[i + 1] == '\\') return i + 2;
    }
    return text.size();
  }
  return 2;
}

/// What a terminal would show of a line without its newline.
std::string shown(std::string_view line) {
  while (line.ends_with('\r')) line.remove_suffix(1);
  line = line.substr(line.rfind('\r') + 1);  // npos + 1 is 0: no carriage return, the whole line.
  std::string text;
  for (const char c : without_escapes(line)) {
    if (c == '\t')
      text += "  ";
    else
      text += c;
  }
  const bool cut = text.size() > longest_line;
  std::size_t end = std::min(text.size(), longest_line);
  while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return inert(std::string_view(text).substr(0, end)) + (cut ? "…" : "");
}

}  // namespace

void Tail::add(std::string_view piece) {
  if (piece.size() > most_kept) {
    piece.remove_prefix(piece.size() - most_kept);
    whole_ = false;
  }
  kept_ += piece;
  if (kept_.size() <= 2 * most_kept) return;  // Cut seldom, so that many small pieces cost little.
  kept_.erase(0, kept_.size() - most_kept);
  whole_ = false;
}

std::vector<std::string> Tail::lines(std::size_t most) const {
  std::string_view rest = kept_;
  const std::size_t end = rest.find_last_not_of(" \t\r\n");
  rest = rest.substr(0, end == std::string_view::npos ? 0 : end + 1);
  std::vector<std::string> result;
  while (!rest.empty() && result.size() < most) {
    const std::size_t newline = rest.rfind('\n');
    if (newline == std::string_view::npos && !whole_ && !result.empty()) break;  // Its beginning was dropped.
    result.push_back(shown(newline == std::string_view::npos ? rest : rest.substr(newline + 1)));
    rest = newline == std::string_view::npos ? "" : rest.substr(0, newline);
  }
  std::ranges::reverse(result);
  return result;
}

std::string without_escapes(std::string_view line) {
  std::string text;
  while (!line.empty()) {
    const std::size_t next = std::min(line.find(escape), line.size());
    text += line.substr(0, next);
    line.remove_prefix(next);
    if (!line.empty()) line.remove_prefix(escape_length(line));
  }
  return text;
}

}  // namespace gather::report
