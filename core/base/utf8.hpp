/// Decoding UTF-8 one character at a time, strictly (no overlong forms, no surrogates, no more than
/// U+10FFFF).
#pragma once

#include <cstddef>
#include <string_view>

namespace gather {

/// The first character of a text; where it is not valid UTF-8, `length` is 1 so that a scan can go on.
struct Utf8Step {
  char32_t character = 0;
  std::size_t length = 1;  ///< Bytes.
  bool valid = false;
};

/// Requires: `text` is not empty.
constexpr Utf8Step decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  std::size_t length = 0;
  char32_t character = 0;
  char32_t least = 0;
  if ((first & 0xe0) == 0xc0) {
    length = 2, character = first & 0x1f, least = 0x80;
  } else if ((first & 0xf0) == 0xe0) {
    length = 3, character = first & 0x0f, least = 0x800;
  } else if ((first & 0xf8) == 0xf0) {
    length = 4, character = first & 0x07, least = 0x10000;
  } else {
    return {};
  }
  if (text.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    character = (character << 6) | (byte(i) & 0x3f);
  }
  if (character < least || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff)) return {};
  return {character, length, true};
}

}  // namespace gather
