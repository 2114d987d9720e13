/// From a document to a part of it: by JSON pointer, by key, by place.
#pragma once

#include "core/job/document/document.hpp"

#include <cstddef>
#include <string_view>

namespace gather::job {

/// The value of a mapping's member, or none.
Value member_of(Value map, std::string_view key);
/// The item of a list, from 0, or none.
Value item_of(Value list, std::size_t place);

/// What `pointer` leads to from `root`, or none. Source: RFC 6901. Requires: is_json_pointer(pointer).
Value follow(Value root, std::string_view pointer);

}  // namespace gather::job
