/// What is told of an answer with a status that was not expected. Only files of core/net include this.
#pragma once

#include "core/net/download.hpp"

#include <string_view>

namespace gather::net {

/// With the first line of `body`, which may be the beginning of one, and what the server asked for.
UnexpectedStatus unexpected_status(const Head& head, std::string_view body);

}  // namespace gather::net
