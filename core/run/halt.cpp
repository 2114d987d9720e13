#include "core/run/halt.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <charconv>

namespace gather::run {
namespace {

// Of the first two, one failure would be half.
constexpr std::size_t least_endings_for_percentage = 3;

}  // namespace

bool Halt::reached(const Endings& endings, std::size_t tasks) const {
  const std::size_t done = endings.failed + endings.passed;
  const std::size_t count = why == Why::fail ? endings.failed : why == Why::success ? endings.passed : done;
  if (!percentage) return static_cast<double>(count) >= amount;
  return done >= least_endings_for_percentage &&
         static_cast<double>(count) * 100 >= amount * static_cast<double>(tasks);
}

std::expected<std::optional<Halt>, std::string> parse_halt(std::string_view text) {
  if (text == "never") return std::nullopt;
  const auto refuse = [text] {
    return std::unexpected(
        fmt::format("{} is no halt; write never, or as in soon,fail=1 now,fail=10% "
                    "now,success=1 soon,done=5",
                    in_quotes(text)));
  };
  Halt halt;
  std::string_view rest = text;
  if (rest.starts_with("soon,"))
    halt.when = Halt::When::soon;
  else if (!rest.starts_with("now,"))
    return refuse();
  rest.remove_prefix(rest.find(',') + 1);
  const std::string_view why = rest.substr(0, rest.find('='));
  if (why == "success")
    halt.why = Halt::Why::success;
  else if (why == "done")
    halt.why = Halt::Why::done;
  else if (why != "fail")
    return refuse();
  if (why.size() == rest.size()) return refuse();
  rest.remove_prefix(why.size() + 1);
  if (rest.ends_with('%')) {
    halt.percentage = true;
    rest.remove_suffix(1);
  }
  const auto [end, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), halt.amount, std::chars_format::fixed);
  const bool whole =
      halt.percentage || halt.amount == static_cast<double>(static_cast<std::int64_t>(halt.amount));
  const double most = halt.percentage ? 100 : 1e9;
  if (error != std::errc{} || end != rest.data() + rest.size() || !(halt.amount > 0) || halt.amount > most ||
      !whole)
    return refuse();
  return halt;
}

}  // namespace gather::run
