#include "core/net/http_date.hpp"

#include "core/net/curl.hpp"

#include <array>
#include <chrono>
#include <string>

namespace gather::net {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The number that `text` is, digits alone, or -1.
int number(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    value = 10 * value + (c - '0');
  }
  return value;
}

/// The preferred form, letter for letter; the day of the week is not looked at.
std::optional<std::time_t> preferred_form(std::string_view text) {
  namespace chrono = std::chrono;
  if (text.size() != 29 || text.substr(3, 2) != ", " || text[7] != ' ' || text[11] != ' ' ||
      text[16] != ' ' || text[19] != ':' || text[22] != ':' || text.substr(25) != " GMT")
    return std::nullopt;
  unsigned month = 0;
  while (month < months.size() && text.substr(8, 3) != months[month]) ++month;
  const int day = number(text.substr(5, 2));
  const int year = number(text.substr(12, 4));
  const int hour = number(text.substr(17, 2));
  const int minute = number(text.substr(20, 2));
  const int second = number(text.substr(23, 2));
  if (day < 1 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59)
    return std::nullopt;
  const chrono::year_month_day date{chrono::year(year), chrono::month(month + 1),
                                    chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;  // Also of no month.
  const auto moment =
      chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) + chrono::seconds(second);
  return chrono::system_clock::to_time_t(moment);
}

}  // namespace

std::optional<std::time_t> http_date(std::string_view text) {
  if (const auto moment = preferred_form(text)) return moment;
  const std::time_t moment = curl().getdate(std::string(text).c_str(), nullptr);
  return moment == -1 ? std::nullopt : std::optional(moment);
}

}  // namespace gather::net
