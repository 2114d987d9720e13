/// What `gather each` runs over: the words behind its flags taken apart, and files and standard input read.
#pragma once

#include "cmd/options.hpp"
#include "core/each/input.hpp"

#include <string>
#include <vector>

namespace gather::cmd {

struct EachInput {
  std::vector<std::string> command;  ///< The words before the first `:::`.
  each::Input input;
};

/// Throws Error(usage) for a file that can't be read, and for a terminal where arguments should come from.
EachInput read_each_input(const EachCommand& command);

}  // namespace gather::cmd
