/// The kinds of work: each has an executor, a limit and figures of its own.
#pragma once

#include "core/job/model.hpp"

#include <cstddef>
#include <cstdint>

namespace gather::run {

/// A milestone is of no kind: it takes no slot.
enum class Kind : std::uint8_t { sleep, process, fetch, none };
inline constexpr std::size_t kind_count = 3;  ///< Those that take a slot.

Kind kind_of(const job::Action& action);

}  // namespace gather::run
