/// Secrets that a job file points at, read when they are needed.
#pragma once

#include "core/job/fetch.hpp"

#include <expected>
#include <filesystem>
#include <string>

namespace gather::run {

/// The value of the variable, or what is in the file, below `directory` unless absolute, without the line
/// break at its end. Or why there is none: a sentence without a final full stop, which names the source and
/// shows nothing of the secret. Empty secrets and ones of more than 64 KB are none. Blocks for one small
/// read.
std::expected<std::string, std::string> read_secret(const job::SecretSource& source,
                                                    const std::filesystem::path& directory);

}  // namespace gather::run
