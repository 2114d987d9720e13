/// Dates in headers: Last-Modified, Date, Retry-After. Only files of core/net include this.
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace gather::net {

/// Seconds since 1970, UTC; nothing if `text` is no date. Reads what servers send, "Sun, 06 Nov 1994 08:49:37
/// GMT" (RFC 9110, section 5.6.7), in a hundredth of the time that libcurl's reader of dates takes, which
/// gets the rest: older forms, and whatever else people write.
std::optional<std::time_t> http_date(std::string_view text);

}  // namespace gather::net
