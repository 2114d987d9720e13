/// Link: what an answer says of related resources.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// The target of the first link in the header's `value` that has this relation, as it is written: often
/// relative to the answer's URL. Nothing if there is none. `relation` is in lower case.
///
/// Links about something else (with `anchor`) are left out, and what can't be read ends the search. Source:
/// RFC 8288, section 3.
std::optional<std::string> link_target(std::string_view value, std::string_view relation);

}  // namespace gather::net
