/// Values for the header Authorization.
#pragma once

#include <string>
#include <string_view>

namespace gather::net {

/// "Basic …": RFC 7617. Requires: no colon in `user`.
std::string basic_authorization(std::string_view user, std::string_view password);

}  // namespace gather::net
