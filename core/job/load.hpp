/// From a job file to a job: reading, parsing, checking. Starts nothing, and touches no file but the one it
/// reads.
#pragma once

#include "core/job/document/problem.hpp"
#include "core/job/document/source.hpp"
#include "core/job/model.hpp"
#include "core/job/templates/scope.hpp"

#include <string>
#include <vector>

namespace gather::job {

struct Loaded {
  Job job;                        ///< Not to be used if there is any error among the problems.
  std::vector<Problem> problems;  ///< In the order of the text; warnings are among them.

  bool usable() const;
};

/// Reads the job in `source`, and fills in what its templates name of `vars` and the environment. Never
/// throws for bad content: every problem is in the answer, except that broken syntax (or text that is no
/// text, or a limit passed) is the only one, because what follows it would be guesses.
Loaded load(const Source& source, const Surroundings& surroundings = {});

/// As load, for when there is no going on with a bad file: the problems that come back are warnings only.
///
/// Throws Error(usage) with all problems, rendered and in order, if there is an error among them.
Loaded load_or_throw(const Source& source, const Surroundings& surroundings = {});

/// The parsed document as JSON, templates as they are written, indented and with a final newline; numbers,
/// booleans and nulls by YAML's core schema. Requires right syntax, not a valid job. Throws Error(usage) with
/// the rendered problem if the syntax is wrong.
std::string document_json(const Source& source);

}  // namespace gather::job
