/// What each command does, from its flags to its exit status. Each throws Error for what stops it.
#pragma once

#include "cmd/options.hpp"
#include "core/base/error.hpp"

namespace gather::cmd {

ExitStatus execute(const RunCommand& command);
ExitStatus execute(const CompareCommand& command);
ExitStatus execute(const PlanCommand& command);
ExitStatus execute(const EachCommand& command);
ExitStatus execute(const CheckCommand& command);
ExitStatus execute(const FetchCommand& command);
ExitStatus execute(const HelpCommand& command);
ExitStatus execute(const PrintCommand& command);

}  // namespace gather::cmd
