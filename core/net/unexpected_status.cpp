#include "core/net/unexpected_status.hpp"

#include "core/base/quote.hpp"
#include "core/net/http_date.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace gather::net {
namespace {

constexpr std::size_t shown_of_error = 200;

/// Seconds or a date, as from now and at least 0; nothing if it is neither.
std::optional<Duration> read_retry_after(const Head& head) {
  using std::chrono::seconds;
  if ((head.status != 429 && head.status != 503) || !head.retry_after) return std::nullopt;
  const std::string& text = *head.retry_after;
  std::int64_t wait = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wait);
  if (error == std::errc::result_out_of_range || end != text.data() + text.size()) {
    const auto date = http_date(text);
    if (!date) return std::nullopt;
    wait = *date - std::time(nullptr);
  }
  return std::clamp<Duration>(seconds(std::min<std::int64_t>(wait, 1'000'000'000)), seconds(0),
                              longest_duration);
}

}  // namespace

UnexpectedStatus unexpected_status(const Head& head, std::string_view body) {
  body = body.substr(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  std::string detail = inert(body.substr(0, std::min(body.find_first_of("\r\n"), shown_of_error)));
  return {head.status, std::move(detail), read_retry_after(head)};
}

}  // namespace gather::net
