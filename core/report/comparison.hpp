/// A comparison as text for people, and as JSON and CSV for machines.
#pragma once

#include "core/analyse/comparison.hpp"
#include "core/job/model.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gather::report {

/// Walls, measured speed-up, naive and contention, bound, identity, verdict: the whole of what `compare`
/// prints. `seed` is that of the order of the passes.
std::string comparison_text(const job::Job& job, const analyse::Comparison& comparison,
                            std::optional<std::uint64_t> seed);

/// `{schema, job, seed, pairs: [{sync: {wall_ms, tasks}, async: {…}}], speedup: {median, min, max, …}, naive,
/// contention, bound: {ms, by}, efficiency, …}`; a figure that can't be computed is null. `pairs` are those
/// compared. Ends with a newline.
std::string comparison_json(const job::Job& job, std::span<const analyse::Pair> pairs,
                            const analyse::Comparison& comparison, std::optional<std::uint64_t> seed);

/// A row for each task in each pass: pair, pass, task, state, duration_ms; RFC 4180 with a header.
std::string comparison_csv(const job::Job& job, std::span<const analyse::Pair> pairs);

}  // namespace gather::report
