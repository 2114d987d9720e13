/// How lengths, kinds and limits are written in every JSON report. Only files of core/report include this.
#pragma once

#include "core/base/duration.hpp"
#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace gather::report {

/// Keeps the order in which keys are given.
using Json = nlohmann::ordered_json;

/// Milliseconds, exact to a microsecond; null for what never came.
double in_ms(Duration length);
Json in_ms(std::optional<Duration> length);

/// Null for a figure that can't be computed.
Json number(std::optional<double> value);

/// "sleep", "fetch", "run", "shell" or "milestone".
std::string_view kind_word(const job::Action& action);

Json limits_object(const run::LimitsInForce& limits);

/// As text; bytes that are not UTF-8 become U+FFFD. One line, or with `indent` blanks for each level.
std::string dumped(const Json& value, int indent = -1);

}  // namespace gather::report
