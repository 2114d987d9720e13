/// The pages of cmd/manual/, built into the program.
#pragma once

#include <span>
#include <string_view>

namespace gather::cmd {

struct ManualPage {
  std::string_view subject;  ///< The file's path below manual/, without .md: "run", "async/guide".
  std::string_view text;     ///< Markdown; the first line is "# subject: what it is about".
};

/// In alphabetical order, those about the library last.
std::span<const ManualPage> manual_pages();

}  // namespace gather::cmd
