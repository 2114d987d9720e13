/// Sizes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gather {

/// `1500`, `500k`, `10MB`, `4MiB`: bytes; k, M, G, T are powers of 1,000 and Ki, Mi, Gi, Ti of 1,024, each
/// with or without a B, in capitals or not but for the i. Nothing for what is no such size or is 2^63 or
/// more.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// For messages about one that is none.
inline constexpr const char* size_examples = "as in 500k, 10MB or 4MiB";

}  // namespace gather
