/// Time limits that are a share of what others took.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace gather::job {

/// "300%" as 300: above 100, 1,000,000 at most. The error is a sentence with what to write instead.
std::expected<int, std::string> parse_timeout_percent(std::string_view text);

}  // namespace gather::job
