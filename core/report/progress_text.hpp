/// How far a run is, in a few characters. Pure functions.
#pragma once

#include "core/base/duration.hpp"

#include <cstddef>
#include <string>

namespace gather::report {

/// "42% ████████▍           ": twenty columns, in eighths of one.
std::string bar_text(std::size_t ended, std::size_t total);

/// "ETA 1m10s", from the rate so far; "ETA ?" before the first ending.
std::string eta_text(std::size_t ended, std::size_t total, Duration elapsed);

}  // namespace gather::report
