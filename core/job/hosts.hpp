/// Limits of hosts: how many requests at once and how often, which hosts a pattern names, and which pattern
/// counts. Knows the texts of URLs and patterns only; nothing is looked up.
#pragma once

#include "core/base/duration.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gather::job {

/// Starts of requests per time, as written: "5/s", "100/m", "20/h".
struct Rate {
  std::uint32_t count = 1;                 ///< From 1 to most_starts.
  Duration per = std::chrono::seconds(1);  ///< A second, a minute or an hour.

  /// The time from one start to the next, rounded up to whole nanoseconds: the rate is never exceeded.
  Duration interval() const { return (per + Duration(count - 1)) / count; }

  friend bool operator==(const Rate&, const Rate&) = default;
};

inline constexpr std::uint32_t most_starts = 1'000'000;
inline constexpr std::size_t usual_host_max = 6;  ///< For hosts that no pattern names; browsers' number.
inline constexpr std::size_t most_host_max = 1'000'000;

/// "5/s". Else a sentence that says what is wrong with it.
std::expected<Rate, std::string> parse_rate(std::string_view text);
std::string spell(const Rate& rate);

/// The host that a request goes to: its name (or address) in lower case, and its port. What is limited.
struct Host {
  std::string name;
  std::uint16_t port = 0;

  friend bool operator==(const Host&, const Host&) = default;
};

/// Requires: `url` has no fault (see url.hpp). Without a port it is that of the scheme.
Host host_of(std::string_view url);

/// "example.org:443"; ports are always named, so that no two hosts look the same.
std::string spell(const Host& host);

/// Which hosts a limit is for: `host`, `host:port`, `*.suffix` (hosts below it, not itself), or `*`.
struct HostPattern {
  std::string name;  ///< Lower case; after `*.` for a suffix; empty for `*`.
  bool below = false;
  std::optional<std::uint16_t> port;

  bool matches(const Host& host) const;
  /// The greater goes first among those that match the same host.
  std::size_t specificity() const;

  friend bool operator==(const HostPattern&, const HostPattern&) = default;
};

struct HostPatternFault {
  std::string message;
  std::string hint;
};

std::expected<HostPattern, HostPatternFault> parse_host_pattern(std::string_view text);
std::string spell(const HostPattern& pattern);

/// For each host that the pattern matches, by itself.
struct HostLimit {
  HostPattern pattern = {};
  std::size_t max = usual_host_max;  ///< Requests at the same time; at least 1.
  std::optional<Rate> rate = {};     ///< Of their starts, the first of a burst included.
};

/// As `--host` takes it: "*.example.org=4@5/s".
std::string spell(const HostLimit& limit);

/// The limit with the most specific pattern for `host`, or null if none matches.
const HostLimit* limit_for(std::span<const HostLimit> limits, const Host& host);

}  // namespace gather::job
