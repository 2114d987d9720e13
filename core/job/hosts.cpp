#include "core/job/hosts.hpp"

#include "core/job/document/problem.hpp"
#include "core/job/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>
#include <utility>

namespace gather::job {
namespace {

constexpr std::string_view example = "as in example.org, example.org:8080, *.example.org or *";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::uint16_t port_of(std::string_view digits) {
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

/// A host, and the port behind it if there is one. Requires that url.hpp found no fault in them.
std::pair<std::string, std::optional<std::uint16_t>> split(std::string_view authority) {
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  std::string name = lower(authority.substr(0, colon));
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();  // The same host, fully qualified.
  if (colon == std::string_view::npos) return {std::move(name), std::nullopt};
  return {std::move(name), port_of(authority.substr(colon + 1))};
}

constexpr std::array<std::pair<char, std::chrono::seconds>, 3> units{
    {{'s', std::chrono::seconds(1)}, {'m', std::chrono::minutes(1)}, {'h', std::chrono::hours(1)}}};

}  // namespace

std::expected<Rate, std::string> parse_rate(std::string_view text) {
  const auto fault = [&](std::string_view why) {
    return std::unexpected(fmt::format("{} is no rate: {}", code(text), why));
  };
  const std::size_t slash = text.find('/');
  const std::string_view unit = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const auto known = std::ranges::find_if(
      units, [&](const auto& known_unit) { return unit.size() == 1 && unit[0] == known_unit.first; });
  if (known == units.end()) return fault("it is a number of starts and `/s`, `/m` or `/h`, as in 5/s");
  const std::string_view digits = text.substr(0, slash);
  Rate rate{0, known->second};
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), rate.count);
  if (failure == std::errc::result_out_of_range || (failure == std::errc() && rate.count > most_starts))
    return fault(fmt::format("at most {} starts", most_starts));
  if (failure != std::errc() || end != digits.data() + digits.size())
    return fault(digits.find('.') != std::string_view::npos
                     ? "the number of starts is a whole one; 0.5/s is 30/m"
                     : "it is a number of starts and `/s`, `/m` or `/h`, as in 5/s");
  if (rate.count == 0) return fault("it would never start anything");
  return rate;
}

std::string spell(const Rate& rate) {
  const auto unit = std::ranges::find(units, std::chrono::duration_cast<std::chrono::seconds>(rate.per),
                                      &std::pair<char, std::chrono::seconds>::second);
  return fmt::format("{}/{}", rate.count, unit == units.end() ? '?' : unit->first);
}

Host host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  auto [name, port] = split(authority);
  const std::uint16_t usual = lower(url.substr(0, scheme)) == "https" ? 443 : 80;
  return {std::move(name), port.value_or(usual)};
}

std::string spell(const Host& host) { return fmt::format("{}:{}", host.name, host.port); }

bool HostPattern::matches(const Host& host) const {
  if (port && *port != host.port) return false;
  if (!below) return name.empty() || name == host.name;
  return host.name.size() > name.size() + 1 && host.name.ends_with(name) &&
         host.name[host.name.size() - name.size() - 1] == '.';
}

std::size_t HostPattern::specificity() const {
  // A host name has fewer than 65,536 letters; a whole one goes before any suffix, a port before none.
  constexpr std::size_t whole = 1u << 20;
  if (name.empty()) return 0;
  return below ? name.size() : whole + (port ? 1 : 0);
}

std::expected<HostPattern, HostPatternFault> parse_host_pattern(std::string_view text) {
  HostPattern pattern;
  if (text == "*") return pattern;
  const auto fault = [](std::string message, std::string hint = std::string(example)) {
    return std::unexpected(HostPatternFault{std::move(message), std::move(hint)});
  };
  if (text.empty()) return fault("this pattern names no host");
  if (text.find("://") != std::string_view::npos)
    return fault(fmt::format("{} is a URL, not a host", code(text)),
                 "leave out the scheme and the path, " + std::string(example));
  std::string_view rest = text;
  pattern.below = rest.starts_with("*.");
  if (pattern.below) rest.remove_prefix(2);
  if (rest.find('*') != std::string_view::npos)
    return fault(fmt::format("{} has a `*` in it", code(text)),
                 "only `*` alone and `*.` at the beginning are wild, " + std::string(example));
  if (rest.find_first_of("/?#@") != std::string_view::npos)
    return fault(fmt::format("{} is no host", code(text)));
  if (const auto wrong = fault_in_url(fmt::format("http://{}/", rest)))
    return fault(wrong->message == "this URL names no host" ? "this pattern names no host" : wrong->message,
                 wrong->hint.contains("URL") || wrong->hint.empty() ? std::string(example) : wrong->hint);
  std::tie(pattern.name, pattern.port) = split(rest);
  if (pattern.below && pattern.port)
    return fault(fmt::format("{} has a port", code(text)),
                 "a port belongs to one host, as in example.org:8080");
  return pattern;
}

std::string spell(const HostPattern& pattern) {
  if (pattern.name.empty()) return "*";
  return fmt::format("{}{}{}", pattern.below ? "*." : "", pattern.name,
                     pattern.port ? fmt::format(":{}", *pattern.port) : "");
}

std::string spell(const HostLimit& limit) {
  return fmt::format("{}={}{}", spell(limit.pattern), limit.max,
                     limit.rate ? "@" + spell(*limit.rate) : std::string());
}

const HostLimit* limit_for(std::span<const HostLimit> limits, const Host& host) {
  const HostLimit* best = nullptr;
  for (const HostLimit& limit : limits)
    if (limit.pattern.matches(host) &&
        (best == nullptr || limit.pattern.specificity() > best->pattern.specificity()))
      best = &limit;
  return best;
}

}  // namespace gather::job
