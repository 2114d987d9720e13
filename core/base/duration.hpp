/// Lengths of time as people write and read them: `250ms`, `1.5s`, `2m30s`, `1h`, or bare seconds.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

namespace gather {

/// Every length of time in gather; 292 years fit, and ten is the most that is accepted.
using Duration = std::chrono::nanoseconds;

/// The longest duration that `parse_duration` and `duration_from_seconds` accept.
inline constexpr Duration longest_duration = std::chrono::years(10);

/// Reads `250ms`, `1.5s`, `2m30s`, `1h`, `0`, or a bare number of seconds such as `2` or `0.25`.
///
/// Units are h, m, s, ms, us and ns, largest first, each at most once, without blanks. What can't
/// be read comes back as a sentence without a final full stop, for the place that knows where.
std::expected<Duration, std::string> parse_duration(std::string_view text);

/// Checks and converts a number of seconds; the same limits and sentences as parse_duration.
std::expected<Duration, std::string> duration_from_seconds(double seconds);

/// For people, three digits or so: `0.4 ms`, `340 ms`, `1.25 s`, `2m05s`, `1h02m`.
std::string show(Duration length);

/// As a job file would have it, exactly, in the fewest units: `250ms`, `2m30s`, `1h`, `0s`.
std::string spell(Duration length);

/// For machines: milliseconds as a decimal fraction, exact to a microsecond.
double to_milliseconds(Duration length);

/// Seconds as a fraction, for arithmetic with other fractions.
double to_seconds(Duration length);

}  // namespace gather
