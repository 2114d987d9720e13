/// One text as the words that a shell would make of it, where no shell is wanted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gather::each {

/// Splits by the quoting rules of a POSIX shell: blanks part words, `'…'` and `"…"` and `\` quote. Nothing is
/// expanded.
///
/// Throws Error(usage), which says "add --shell", where a shell would do more than that: an unquoted
/// `| & ; < > ( ) * ?`, a backquote or `$` outside single quotes, and for a quote that does not end.
std::vector<std::string> split_words(std::string_view text);

}  // namespace gather::each
