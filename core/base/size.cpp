#include "core/base/size.hpp"

#include <charconv>
#include <cstddef>
#include <limits>

namespace gather {

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.ends_with('B') || unit.ends_with('b')) unit.remove_suffix(1);
  std::uint64_t factor = 1;
  if (!unit.empty()) {
    constexpr std::string_view prefixes = "kmgt";
    const std::size_t power = prefixes.find(static_cast<char>(unit.front() | 0x20));
    const bool binary = unit.size() == 2 && unit.back() == 'i';
    if (power == std::string_view::npos || (unit.size() != 1 && !binary)) return std::nullopt;
    for (std::size_t i = 0; i <= power; ++i) factor *= binary ? 1024 : 1000;
  }
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (count > most / factor) return std::nullopt;
  return count * factor;
}

}  // namespace gather
