#include "core/report/columns.hpp"

#include "core/base/utf8.hpp"

#include <algorithm>
#include <array>

namespace gather::report {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15, EastAsianWidth.txt: the large blocks that are W or F, without the exceptions inside them.
constexpr std::array<Range, 9> wide{{{0x1100, 0x115f},
                                     {0x2e80, 0x303e},
                                     {0x3041, 0xa4cf},
                                     {0xac00, 0xd7a3},
                                     {0xf900, 0xfaff},
                                     {0xfe30, 0xfe6f},
                                     {0xff00, 0xff60},
                                     {0x1f300, 0x1faff},
                                     {0x20000, 0x3fffd}}};

// Combining marks, joiners and variation selectors.
constexpr std::array<Range, 6> narrow{{{0x0300, 0x036f},
                                       {0x1ab0, 0x1aff},
                                       {0x200b, 0x200d},
                                       {0x20d0, 0x20ff},
                                       {0xfe00, 0xfe0f},
                                       {0xfe20, 0xfe2f}}};

std::size_t width_of(char32_t character) {
  const auto holds = [&](const Range& range) { return range.first <= character && character <= range.last; };
  if (character < 0x300) return 1;
  if (std::ranges::any_of(narrow, holds)) return 0;
  return std::ranges::any_of(wide, holds) ? 2 : 1;
}

}  // namespace

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    columns += width_of(step.character);
    text.remove_prefix(step.length);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (text.size() <= columns || width(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t bytes = 0;
  std::size_t used = 0;
  while (true) {
    const Utf8Step step = decode_utf8(text.substr(bytes));
    if (used + width_of(step.character) > columns - 1) break;
    used += width_of(step.character);
    bytes += step.length;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t used = width(text);
  return std::string(text) + std::string(used < columns ? columns - used : 0, ' ');
}

std::string right_aligned(std::string_view text, std::size_t columns) {
  const std::size_t used = width(text);
  return std::string(used < columns ? columns - used : 0, ' ') + std::string(text);
}

}  // namespace gather::report
