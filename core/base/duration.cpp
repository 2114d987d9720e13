#include "core/base/duration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace gather {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};

// Largest first: the order in which a text may name them. "m" comes after "ms" has been ruled out by matching
// whole names.
constexpr std::array<Unit, 6> units{{{"h", std::chrono::hours(1)},
                                     {"m", std::chrono::minutes(1)},
                                     {"s", std::chrono::seconds(1)},
                                     {"ms", std::chrono::milliseconds(1)},
                                     {"us", std::chrono::microseconds(1)},
                                     {"ns", std::chrono::nanoseconds(1)}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::expected<Duration, std::string> from_nanoseconds(double nanoseconds) {
  if (nanoseconds < 0) return std::unexpected("a duration can't be negative");
  if (nanoseconds > static_cast<double>(longest_duration.count()))
    return std::unexpected("a duration can be at most 10 years");
  return Duration(static_cast<Duration::rep>(std::llround(nanoseconds)));
}

std::string not_understood(std::string_view text) {
  return fmt::format("{:?} is no duration; write 250ms, 1.5s, 2m30s, 1h, or a number of seconds", text);
}

}  // namespace

std::expected<Duration, std::string> duration_from_seconds(double seconds) {
  if (!std::isfinite(seconds)) return std::unexpected("a duration must be finite");
  return from_nanoseconds(std::min(seconds, 1e18) * 1e9);
}

std::expected<Duration, std::string> parse_duration(std::string_view text) {
  const std::string_view whole = text;
  if (text.starts_with('-') && text.size() > 1 && is_digit(text[1]))
    return std::unexpected("a duration can't be negative");
  double total =
      0;  // Nanoseconds; a double is exact up to 104 days of them, and rounds to 64 ns at ten years.
  std::size_t next_unit = 0;
  bool any = false;
  while (!text.empty()) {
    double amount = 0;
    if (!is_digit(text.front()) && text.front() != '.') return std::unexpected(not_understood(whole));
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
    if (failure != std::errc{}) return std::unexpected(not_understood(whole));
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty() && !any) return duration_from_seconds(amount);
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters]) && text[letters] != '.') ++letters;
    const std::string_view name = text.substr(0, letters);
    while (next_unit < units.size() && units[next_unit].name != name) ++next_unit;
    if (next_unit == units.size()) return std::unexpected(not_understood(whole));
    total += amount * static_cast<double>(units[next_unit].length.count());
    ++next_unit;
    any = true;
    text.remove_prefix(letters);
  }
  if (!any) return std::unexpected(not_understood(whole));
  return from_nanoseconds(total);
}

std::string show(Duration length) {
  using namespace std::chrono;
  const double ms = to_milliseconds(length);
  if (length.count() == 0) return "0 ms";
  if (ms < 9.95) return fmt::format("{:.1f} ms", ms);
  if (ms < 999.5) return fmt::format("{:.0f} ms", ms);
  if (ms < 59'995) return fmt::format("{:.2f} s", ms / 1e3);
  const auto whole_seconds = round<seconds>(length).count();
  if (whole_seconds < 3600) return fmt::format("{}m{:02}s", whole_seconds / 60, whole_seconds % 60);
  const auto whole_minutes = round<minutes>(length).count();
  return fmt::format("{}h{:02}m", whole_minutes / 60, whole_minutes % 60);
}

std::string spell(Duration length) {
  if (length.count() == 0) return "0s";
  std::string text;
  for (const Unit& unit : units) {
    const auto amount = length / unit.length;
    if (amount == 0) continue;
    text += fmt::format("{}{}", amount, unit.name);
    length -= amount * unit.length;
  }
  return text;
}

double to_milliseconds(Duration length) {
  return static_cast<double>(std::chrono::round<std::chrono::microseconds>(length).count()) / 1e3;
}

double to_seconds(Duration length) { return std::chrono::duration<double>(length).count(); }

}  // namespace gather
