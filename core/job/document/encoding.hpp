/// The first look at a job file: is it text that a person could have meant?
#pragma once

#include "core/job/document/problem.hpp"

#include <string_view>

namespace gather::job {

/// False, with the one error in `findings`, unless `body` is strict UTF-8 without control characters (tab and
/// line breaks apart), and without the separators and marks that parsers and editors disagree about.
///
/// After this no parser meets a byte it reports badly: libyaml names only an offset for these.
bool check_encoding(std::string_view body, Findings& findings);

}  // namespace gather::job
