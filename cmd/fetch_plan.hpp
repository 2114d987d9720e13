/// From the command line of `gather fetch` to what it means: the URLs, their job, and where results go.
#pragma once

#include "cmd/fetch_results.hpp"
#include "cmd/options.hpp"
#include "core/job/fetch_job.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gather::cmd {

struct FetchPlan {
  std::vector<job::UrlEntry> entries;  ///< As given, in order.
  job::Job job;                        ///< A task for each of them.
  Printed printed = Printed::nothing;
  std::optional<std::uint64_t> limit_total;  ///< Bytes per second, all together.
};

/// Reads the lists and the headers. Throws Error(usage) with every problem of the URLs at once, each with its
/// place; no server has been asked anything then.
FetchPlan plan_fetch(const FetchCommand& command);

}  // namespace gather::cmd
