/// Random jobs, run by the real scheduler in virtual time: what properties of records are tested on.
#pragma once

#include "core/job/model.hpp"
#include "core/run/record.hpp"
#include "core/run/scheduler.hpp"

#include <optional>

namespace gather::test {

/// Up to forty tasks of every kind with needs, failures, retries, delays and time limits.
job::Job random_job(run::Random& random);

/// Runs it; lengths and endings are drawn from `random`. The deadline cuts it short.
run::Record run_in_virtual_time(const job::Job& job, const run::LimitsInForce& limits, run::Random& random,
                                std::optional<Duration> deadline, double failing);

}  // namespace gather::test
