/// A record as JSON, for machines: what `--report json=PATH` writes. Always valid UTF-8, units in the key
/// names.
#pragma once

#include "core/analyse/figures.hpp"
#include "core/job/model.hpp"
#include "core/run/record.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace gather::report {

/// Moves with an incompatible change of any JSON report; additions leave it.
inline constexpr int json_schema_version = 1;

/// Hands the document to `sink` in pieces of some 64 KiB, one task per line, so that a run of 100,000 tasks
/// needs no tree in memory. `version` is gather's. `figures` must be of this record.
void write_json(const job::Job& job, const run::Record& record, const analyse::Figures& figures,
                std::string_view version, const std::function<void(std::string_view)>& sink);

/// The same as one string, ending with a newline.
std::string to_json(const job::Job& job, const run::Record& record, const analyse::Figures& figures,
                    std::string_view version);

}  // namespace gather::report
