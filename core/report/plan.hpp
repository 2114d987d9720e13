/// What a job would do, as text: the order, the limits, and what bounds it. Nothing is started.
#pragma once

#include "core/job/model.hpp"
#include "core/run/durations.hpp"
#include "core/run/order.hpp"
#include "core/run/record.hpp"

#include <cstdint>
#include <string>

namespace gather::report {

enum class PlanRows : std::uint8_t {
  first_hundred,  ///< And a line that counts the rest.
  all,
};

/// Tasks in the order in which a single slot would take them (priority, then `order`, then file order, each
/// after its needs, delays aside), what they do, need, are expected to take and how long the path ahead is;
/// then limits, critical path and lower bounds.
///
/// Order and ranks use what the scheduler expects (run::expected_durations), shown with `~` where it guesses;
/// critical path and bounds count what is not known as 0, and say so. Requires a job without cycles.
std::string plan_text(const job::Job& job, const run::Durations& durations, const run::Order& order,
                      const run::LimitsInForce& limits, PlanRows rows);

}  // namespace gather::report
