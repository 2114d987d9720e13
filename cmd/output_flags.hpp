/// What `--output` and `--progress` say, for every command that has them.
#pragma once

#include "cmd/options.hpp"
#include "core/report/fetches.hpp"
#include "core/report/plain.hpp"

namespace gather::cmd {

/// Puts `--output` into `options`; `keep_order` is the flag of `each` that says the same as a mode. Throws
/// Error(usage) for a word that is none, and for two flags that contradict each other.
void set_output(const std::optional<Given>& output, bool keep_order, report::PlainOptions& options);

/// `--progress`; `auto` is `bar`. Throws Error(usage).
report::Progress progress(const std::optional<Given>& flag);

/// The same put into `options`; without the flag they stay as they are.
void set_progress(const std::optional<Given>& flag, report::PlainOptions& options);

}  // namespace gather::cmd
