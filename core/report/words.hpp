/// The words and colours in which people read of tasks.
#pragma once

#include "core/job/model.hpp"
#include "core/run/kind.hpp"
#include "core/run/record.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gather::report {

/// Whether escape codes for colours are written; who decides is cmd (--color, NO_COLOR, the terminal).
enum class Colour : std::uint8_t { off, on };

/// For people, at most nine letters: "ok" for passed, "timed out" for timed_out, else its name.
std::string_view word(run::State state);

/// `text` in the colour of `state`, or as it is.
std::string painted(std::string_view text, run::State state, Colour colour);

/// "sleeps", "processes", "fetches", "milestones".
std::string_view plural(run::Kind kind);

/// "1 task", "3 tasks".
std::string count_of(std::size_t count, std::string_view noun);

/// "2.99x"; three digits or so.
std::string times(double ratio);

/// "a > b > c"; of more than eight the first seven and the last one.
std::string chain_of(const job::Job& job, std::span<const job::TaskId> tasks);

/// "jobs=8 processes=4 fetches=32".
std::string in_words(const run::LimitsInForce& limits);

/// What a task does, on one line and inert: "sleep 500ms", "GET https://…", "make -j2", "sh: first line …",
/// "milestone".
std::string in_words(const job::Action& action);

}  // namespace gather::report
