/// What is printed when a run has ended: its table, its figures, and the digest of its failures. Pure
/// functions.
#pragma once

#include "core/analyse/figures.hpp"
#include "core/job/model.hpp"
#include "core/report/words.hpp"
#include "core/run/record.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace gather::report {

/// Task, state, start, duration, and a bar on a common time axis, in the order of starting; of more than
/// forty tasks only the twenty slowest. Lines are at most `columns` wide (at least 40), as long as ids are
/// not long.
std::string table(const job::Job& job, const run::Record& record, std::size_t columns, Colour colour);

/// Counts, wall, sum of task times, naive concurrency, critical path, lower bound, slowest tasks; loop lag
/// only if it is large enough to doubt them.
std::string figures_text(const job::Job& job, const run::Record& record, const analyse::Figures& figures);

/// Whether the loop was late by so much that the figures can't be trusted: p99 over 5 ms, or over 1 % of the
/// median task.
bool lag_is_large(const run::LoopLag& lag, const analyse::Figures& figures);

/// The last lines of what a failed task wrote, ready to print: no escape sequences, nothing invisible.
struct Failure {
  job::TaskId id{};
  std::vector<std::string> lines;
  std::string hint = {};  ///< What may mend it; empty if nobody knows.
};

/// The failed, timed out and cancelled tasks with their reasons, the last lines of those in `failures`, and
/// how many tasks each kept from running; empty if there are none. Names at most forty tasks.
std::string digest(const job::Job& job, const run::Record& record, std::span<const Failure> failures,
                   Colour colour);

}  // namespace gather::report
