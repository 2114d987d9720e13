/// Content-Range: which bytes of which whole an answer holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gather::net {

/// `bytes 200-999/1000`, or with 416 `bytes */1000`.
struct ContentRange {
  struct Span {
    std::uint64_t first = 0;
    std::uint64_t last = 0;  ///< Included; not before `first`.

    friend bool operator==(const Span&, const Span&) = default;
  };
  std::optional<Span> span;            ///< None: the range that was asked for is not there.
  std::optional<std::uint64_t> total;  ///< None: the server does not know.

  friend bool operator==(const ContentRange&, const ContentRange&) = default;
};

/// Nothing if `value` is no such header, or contradicts itself. Source: RFC 9110, section 14.4.
std::optional<ContentRange> parse_content_range(std::string_view value);

}  // namespace gather::net
