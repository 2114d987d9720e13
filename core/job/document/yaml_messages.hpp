/// libyaml's wording of what is wrong, put into words for the author of a job file.
#pragma once

#include <string_view>

namespace gather::job {

struct YamlMessage {
  std::string_view message;
  std::string_view hint;
  bool at_context = false;  ///< The mistake is where libyaml began (its context), not where it gave up.
  bool in_flow = false;     ///< Inside { } or [ ].
  std::string_view nearby =
      {};  ///< Instead of `message`, at the problem, if the context is on the same line.
};

/// From libyaml 0.2.5's `problem` and `context`. What is not in the table comes back as libyaml says it.
YamlMessage explain_yaml(std::string_view problem, std::string_view context);

}  // namespace gather::job
