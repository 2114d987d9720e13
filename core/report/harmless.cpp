#include "core/report/harmless.hpp"

#include "core/base/quote.hpp"

#include <algorithm>
#include <utility>

namespace gather::report {
namespace {

constexpr char escape = '\x1b';
constexpr std::size_t longest_sequence = 64;  // Of a colour; the longest in use have half of it.

bool is_ordinary(unsigned char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t'; }

/// The length of the SGR sequence at the start of `text`, which begins with ESC; 0 if it is none, npos if
/// that can't be known yet.
std::size_t colour_length(std::string_view text) {
  if (text.size() > 1 && text[1] != '[') return 0;
  for (std::size_t i = 2; i < std::min(text.size(), longest_sequence); ++i) {
    if (text[i] == 'm') return i + 1;
    if ((text[i] < '0' || text[i] > '9') && text[i] != ';' && text[i] != ':') return 0;
  }
  return text.size() < longest_sequence ? std::string_view::npos : 0;
}

/// How many bytes a UTF-8 character that begins with `first` has; 1 for what begins none.
std::size_t character_length(unsigned char first) {
  return first >= 0xf0 && first < 0xf8   ? 4
         : first >= 0xe0 && first < 0xf0 ? 3
         : first >= 0xc2 && first < 0xe0 ? 2
                                         : 1;
}

}  // namespace

std::string_view Harmless::on(std::string_view piece) {
  if (held_.empty() &&
      std::ranges::all_of(piece, [](char c) { return is_ordinary(static_cast<unsigned char>(c)); }))
    return piece;
  done_.clear();
  if (held_.empty()) {
    take(piece, false);
  } else {
    const std::string text = std::exchange(held_, {}) + std::string(piece);
    take(text, false);
  }
  return done_;
}

std::string_view Harmless::rest() {
  done_.clear();
  const std::string text = std::exchange(held_, {});
  take(text, true);
  return done_;
}

void Harmless::take(std::string_view text, bool is_end) {
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    if (is_ordinary(c)) {
      const auto end = std::ranges::find_if_not(
          text, [](char other) { return is_ordinary(static_cast<unsigned char>(other)); });
      const auto length = static_cast<std::size_t>(end - text.begin());
      done_ += text.substr(0, length);
      text.remove_prefix(length);
      continue;
    }
    std::size_t length = 1;
    if (c == escape) {
      length = colour_length(text);
      if (length == std::string_view::npos && !is_end) break;
      if (length != 0 && length != std::string_view::npos) {
        done_ += text.substr(0, length);
        text.remove_prefix(length);
        continue;
      }
      length = 1;  // Without its ESC the rest is plain text.
    } else if (c == '\r') {
      if (text.size() == 1 && !is_end) break;
      if (text.size() == 1 || (text[1] != '\n' && text[1] != '\r')) done_ += '\n';
      text.remove_prefix(1);
      continue;
    } else {
      length = character_length(c);
      if (length > text.size()) {
        if (!is_end) break;
        length = text.size();
      }
    }
    done_ += inert(text.substr(0, length));
    text.remove_prefix(length);
  }
  held_ = text;
}

}  // namespace gather::report
