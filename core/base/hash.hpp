/// A hash of text that is the same in every run and on every machine, unlike std::hash.
#pragma once

#include <cstdint>
#include <string_view>

namespace gather {

/// FNV-1a, 64 bits. It tells names apart, and guards nothing. Source: G. Fowler, L. C. Noll, K.-P. Vo.
constexpr std::uint64_t stable_hash(std::string_view text) noexcept {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return value;
}

}  // namespace gather
