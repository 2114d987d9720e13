/// Content-Disposition: the name that a server has for what it sends, and what is left of it once it can do
/// no harm as the name of a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// The file name in the header's `value`, as UTF-8 where that can be told: `filename*` where it is right,
/// else `filename`, of each the first. Nothing if there is none. It is what the server says, paths and all.
///
/// More is taken than the grammar allows, as browsers do: no type, values without quotes that hold blanks,
/// single backslashes in quotes, which stand for themselves. Source: RFC 6266, section 4; RFC 8187.
std::optional<std::string> filename_in(std::string_view value);

/// `name` as one that a stranger may choose for a file in a folder of ours; nothing if nothing is left of it.
///
/// What is before the last slash or backslash is dropped. Text that is no UTF-8 is taken as ISO 8859-1.
/// Control characters, and those that turn the direction of what is shown or show nothing, become `_`, and so
/// do a dot or a minus at the beginning (`.bashrc`, `-rf`). `.part` and `.part.meta` at the end, which are
/// ours, get a `_` behind them. It is cut before its extension, so that with `.part.meta` behind it it has
/// 255 bytes at most.
std::optional<std::string> harmless_name(std::string_view name);

}  // namespace gather::net
