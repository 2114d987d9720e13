/// Text in columns of a fixed width: how wide it is on a terminal, cut, and filled up.
///
/// Widths are simple: a character takes one column, a combining one none, East Asian and emoji ones two.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gather::report {

/// Requires inert text: no escape sequences.
std::size_t width(std::string_view text);

/// At most `columns` wide; what is cut off is replaced by `…`.
std::string cut(std::string_view text, std::size_t columns);

/// Filled with blanks up to `columns`, on the right or on the left; never cut.
std::string padded(std::string_view text, std::size_t columns);
std::string right_aligned(std::string_view text, std::size_t columns);

}  // namespace gather::report
