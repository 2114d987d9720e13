#include "core/job/percent.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <charconv>

namespace gather::job {

std::expected<int, std::string> parse_timeout_percent(std::string_view text) {
  constexpr int most = 1'000'000;
  int percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc{} || std::string_view(end, text.data() + text.size()) != "%" || percent > most)
    return std::unexpected(
        fmt::format("{} is no percentage; write a whole number, as in 300%", in_quotes(text)));
  if (percent <= 100)
    return std::unexpected(fmt::format(
        "{} of the median would end half of those that do well; write more than 100%, as in 300%", text));
  return percent;
}

}  // namespace gather::job
