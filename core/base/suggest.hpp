/// "Did you mean …?": the nearest known word to one that is not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gather {

/// The candidate nearest to `word`, if it is near enough to be a slip of the finger: at most three sevenths
/// of the letters inserted, left out, changed or swapped with their neighbour, and never more than three. The
/// first of several equally near ones. Source of the distance: optimal string alignment (Damerau 1964,
/// restricted).
std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace gather
