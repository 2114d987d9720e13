#include "core/job/url.hpp"

#include "core/job/document/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace gather::job {
namespace {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failure == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_host_name(std::string_view host) {
  return std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '%' || c >= 0x80;
  });
}

bool is_ipv6(std::string_view address) {
  return address.find(':') != std::string_view::npos && std::ranges::all_of(address, [](unsigned char c) {
           return std::isxdigit(c) != 0 || c == ':' || c == '.';
         });
}

std::optional<UrlFault> fault_in_host_and_port(std::string_view authority) {
  std::string_view host, port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos || !is_ipv6(authority.substr(1, close - 1)))
      return UrlFault{fmt::format("{} is no IPv6 address", code(authority)),
                      "write it as in http://[::1]:8080/"};
    host = authority.substr(0, close + 1);
    port = authority.substr(close + 1);
    has_port = !port.empty();
    if (has_port && port[0] != ':')
      return UrlFault{fmt::format("{} is no port", code(port)), "a port follows a colon"};
    if (has_port) port.remove_prefix(1);
  } else {
    const std::size_t colon = authority.find(':');
    host = authority.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = authority.substr(colon + 1);
    if (!is_host_name(host)) return UrlFault{fmt::format("{} is no host name", code(host)), ""};
  }
  if (host.empty()) return UrlFault{"this URL names no host", "write it as in https://example.org/path"};
  if (has_port && !is_port(port))
    return UrlFault{fmt::format("{} is no port", code(port)), "a port is a number from 1 to 65535"};
  return std::nullopt;
}

}  // namespace

std::string percent_encoded(std::string_view text, std::string_view kept) {
  const auto is_unreserved = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
  };
  std::string out;
  for (const char c : text)
    if (const auto byte = static_cast<unsigned char>(c); is_unreserved(byte) || kept.contains(c))
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  return out;
}

std::optional<UrlFault> fault_in_url(std::string_view url) {
  const auto is_blank_or_control = [](unsigned char c) { return c <= 0x20 || c == 0x7f; };
  if (std::ranges::any_of(url, is_blank_or_control))
    return UrlFault{"a URL can't hold blanks or control characters", "write a blank as %20"};
  if (url.find('\\') != std::string_view::npos)
    return UrlFault{"a URL can't hold a backslash", "write / between the parts of a path"};
  const std::size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos)
    return UrlFault{fmt::format("{} is no URL", code(url)), "a URL begins with http:// or https://"};
  const std::string_view scheme = url.substr(0, scheme_end);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))
    return UrlFault{fmt::format("{} is not supported", code(std::string(scheme) + "://")),
                    "a URL begins with http:// or https://"};
  std::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos)
    return UrlFault{"a user or password in a URL is not supported",
                    "it would show up in every log; `auth` takes it from a variable or a file", true};
  return fault_in_host_and_port(authority);
}

}  // namespace gather::job
