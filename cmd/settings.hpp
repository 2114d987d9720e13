/// What is in force: flag, environment, file, default, in this order; and where each value came from.
#pragma once

#include "cmd/options.hpp"
#include "core/job/model.hpp"
#include "core/report/plain.hpp"
#include "core/run/scheduler.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gather::cmd {

struct Settings {
  run::Options run;                  ///< Complete but for the run's id.
  std::uint64_t seed = 0;            ///< Of everything that is left to chance.
  std::vector<std::string> origins;  ///< A line each: "jobs 8 (--jobs)"; for `plan -v`.
};

/// Puts the flags over the job: what they say of tasks (time limits, retries) is written into it.
/// Throws Error(usage), naming the flag or the variable, for a value that makes no sense.
Settings settle(const JobFlags& flags, job::Job& job);

/// As `settle`, with every limit at 1: the sync pass of a comparison.
run::Options one_at_a_time(run::Options options);

/// A whole number of at least `least`. Throws Error(usage) that names where it was given.
std::uint64_t whole_number(const Given& given, std::uint64_t least);

/// Slots: N, N% of the CPUs, -N for all CPUs but N, or @FILE, which says one of these; at least 1. Throws
/// Error(usage).
std::size_t slots(const Given& given);

/// CPUs that this process may use.
std::size_t usable_cpus();

/// A time limit: a duration above 0, or a percentage of the median.
struct TimeLimit {
  std::optional<Duration> length;
  int percent = 0;  ///< 0 for none.

  void put_into(job::Task& task) const {
    task.timeout = length;
    task.timeout_percent = percent;
  }
};
/// Throws Error(usage).
TimeLimit attempt_limit(const Given& given);

/// A duration. Throws Error(usage).
Duration duration(const Given& given);

/// A duration above 0. Throws Error(usage).
Duration time_limit(const Given& given);

/// `--halt`; nothing for `never`. Throws Error(usage).
std::optional<run::Halt> halt(const Given& given);

/// Whether to colour what goes to stderr: --color, then NO_COLOR and CLICOLOR_FORCE, then whether it is a
/// terminal.
report::Colour colour(const std::optional<Given>& flag);

report::Verbosity verbosity(const JobFlags& flags);

}  // namespace gather::cmd
