/// What a redirect makes of a request: where it goes, with which method, and what it no longer says.
#pragma once

#include "core/net/request.hpp"

#include <expected>
#include <string>
#include <string_view>

namespace gather::net {

/// 301, 302, 303, 307 and 308; the others of the 3xx lead nowhere.
bool redirects(int status) noexcept;

/// The request that follows `request` after an answer with `status` that leads to `location`, which is
/// absolute. `first` is the user's own request, whose origin alone may see its headers and our certificate,
/// unless its transport trusts redirects.
///
/// As browsers and curl do it: 303 makes everything but HEAD a GET, 301 and 302 make a POST one, and a GET
/// loses the body; 307 and 308 keep method and body. Refused: schemes other than http and https, and the step
/// from https to http. Source: RFC 9110, section 15.4.
std::expected<Request, Failure> redirected(const Request& request, const Request& first, int status,
                                           std::string_view location);

}  // namespace gather::net
