#include "core/base/width.hpp"

#include <algorithm>
#include <array>

namespace gather {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Unicode 15, EastAsianWidth.txt: the large blocks that are W or F, without the exceptions inside them.
constexpr std::array<Range, 10> wide{{{0x1100, 0x115f},
                                      {0x2e80, 0x303e},
                                      {0x3041, 0xa4cf},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xfe30, 0xfe6f},
                                      {0xff00, 0xff60},
                                      {0xffe0, 0xffe6},
                                      {0x1f300, 0x1faff},
                                      {0x20000, 0x3fffd}}};

// Combining marks, joiners and variation selectors.
constexpr std::array<Range, 6> narrow{{{0x0300, 0x036f},
                                       {0x1ab0, 0x1aff},
                                       {0x200b, 0x200d},
                                       {0x20d0, 0x20ff},
                                       {0xfe00, 0xfe0f},
                                       {0xfe20, 0xfe2f}}};

}  // namespace

std::size_t columns_of(char32_t character) {
  const auto holds = [&](const Range& range) { return range.first <= character && character <= range.last; };
  if (character < 0x300) return 1;
  if (std::ranges::any_of(narrow, holds)) return 0;
  return std::ranges::any_of(wide, holds) ? 2 : 1;
}

}  // namespace gather
