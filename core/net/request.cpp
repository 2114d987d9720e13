#include "core/net/request.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

namespace gather::net {

std::optional<std::string> fault_in(const Request& request) {
  constexpr std::string_view breaks("\r\n\0", 3);
  if (request.method.empty() || request.method.find_first_of(" \t\r\n") != std::string::npos)
    return fmt::format("{} is no method", in_quotes(request.method));
  for (const auto& [name, value] : request.headers)
    if (name.empty() || (name + value).find_first_of(breaks) != std::string::npos)
      return fmt::format("the header {} holds a line break", in_quotes(name));
  return std::nullopt;
}

}  // namespace gather::net
