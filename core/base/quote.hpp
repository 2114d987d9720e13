/// Text made safe to show: for people (nothing invisible, nothing that moves a cursor) and for shells.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gather {

/// `text` with control characters, C1 controls, bidirectional overrides and invalid UTF-8 written out as
/// `\n`, `\x1b` or `\u202e`, so that it stays on its line and can't act on a terminal.
std::string inert(std::string_view text);

/// `"text"`, inert, cut to `most` characters with an ellipsis: for messages that name a user's value.
std::string in_quotes(std::string_view text, std::size_t most = 60);

/// One word for a POSIX shell: bare when it is plainly safe, in single quotes otherwise.
std::string shell_quoted(std::string_view word);

/// A command line that a POSIX shell would read as exactly `words`.
std::string shell_quoted(std::span<const std::string> words);

}  // namespace gather
