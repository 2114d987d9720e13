/// Which URLs a job may name. Looks at the text only; what a server makes of it is its own affair.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gather::job {

struct UrlFault {
  std::string message;
  std::string hint;
  bool secret = false;  ///< The URL holds what is not to be shown.
};

/// What is wrong with `url`, or nothing: http or https, a host (a name, an IPv4 address or `[IPv6]`), a port
/// from 1 to 65535, no user or password, no blanks, no control characters, no backslash.
std::optional<UrlFault> fault_in_url(std::string_view url);

/// Letters, digits, `-`, `.`, `_`, `~` and what is `kept` as they are, any other byte as `%XX`: RFC 3986,
/// section 2.
std::string percent_encoded(std::string_view text, std::string_view kept = {});

}  // namespace gather::job
