/// What a failed task's last words mean, where gather knows the remedy.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gather::report {

/// A remedy, where `lines`, the last of a task's standard error, ask for a terminal or a password; else
/// empty.
std::string_view terminal_hint(std::span<const std::string> lines);

}  // namespace gather::report
