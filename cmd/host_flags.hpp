/// Limits of hosts from the command line: `--host`, and those of `gather fetch`.
#pragma once

#include "cmd/options.hpp"
#include "core/job/hosts.hpp"

#include <vector>

namespace gather::cmd {

/// Puts `--host PATTERN=N[@RATE]` over the limits of the file: of the same pattern it replaces the number,
/// and the rate if it has one. Returns the pattern. Throws Error(usage) that names the flag or the variable.
job::HostPattern set_host(const Given& given, std::vector<job::HostLimit>& hosts);

/// Puts `--per-host N` and `--rate R` of `gather fetch` over the limit of every host.
void set_every_host(const FetchCommand& command, std::vector<job::HostLimit>& hosts);

}  // namespace gather::cmd
