/// How many columns of a terminal a character takes.
#pragma once

#include <cstddef>

namespace gather {

/// 2 for East Asian wide characters and emoji, 0 for combining marks and joiners, 1 for all others. Coarse on
/// purpose: whole blocks, without the exceptions inside them. Requires a character that does not act on a
/// terminal.
std::size_t columns_of(char32_t character);

}  // namespace gather
