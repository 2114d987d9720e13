#include "cmd/host_flags.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace gather::cmd {
namespace {

[[noreturn]] void refuse(const Given& given, std::string_view what) {
  throw Error(ExitStatus::usage, fmt::format("{}: {}", given.origin, what));
}

std::size_t places(const Given& given, std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > job::most_host_max)
    refuse(given, fmt::format("{} is no number of requests at once, from 1 to {}", in_quotes(text),
                              job::most_host_max));
  return value;
}

job::Rate rate(const Given& given, std::string_view text) {
  auto read = job::parse_rate(text);
  if (!read) refuse(given, read.error());
  return *read;
}

job::HostLimit& limit_of(const job::HostPattern& pattern, std::vector<job::HostLimit>& hosts) {
  const auto known = std::ranges::find(hosts, pattern, &job::HostLimit::pattern);
  if (known != hosts.end()) return *known;
  hosts.push_back({.pattern = pattern});
  return hosts.back();
}

}  // namespace

job::HostPattern set_host(const Given& given, std::vector<job::HostLimit>& hosts) {
  const std::string_view text = given.value;
  const std::size_t equals = text.rfind('=');
  if (equals == std::string_view::npos)
    refuse(given, fmt::format("{} limits nothing; write PATTERN=N or PATTERN=N@RATE, as in api.example.org=4 "
                              "or *=2@5/s",
                              in_quotes(text)));
  const auto pattern = job::parse_host_pattern(text.substr(0, equals));
  if (!pattern) refuse(given, fmt::format("{}; {}", pattern.error().message, pattern.error().hint));
  const std::string_view value = text.substr(equals + 1);
  const std::size_t at = value.find('@');
  const std::size_t max = places(given, value.substr(0, at));
  const auto paced =
      at == std::string_view::npos ? std::nullopt : std::optional(rate(given, value.substr(at + 1)));
  job::HostLimit& limit = limit_of(*pattern, hosts);
  limit.max = max;
  if (paced) limit.rate = paced;
  return *pattern;
}

void set_every_host(const FetchCommand& command, std::vector<job::HostLimit>& hosts) {
  if (!command.per_host && !command.rate) return;
  job::HostLimit& limit = limit_of({}, hosts);
  if (command.per_host) limit.max = places(*command.per_host, command.per_host->value);
  if (command.rate) limit.rate = rate(*command.rate, command.rate->value);
}

}  // namespace gather::cmd
