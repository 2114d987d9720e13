/// What is wrong with a job file, and how it is shown to a person.
#pragma once

#include "core/job/document/lines.hpp"
#include "core/job/document/source.hpp"
#include "core/job/model.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

struct Problem {
  enum class Severity : std::uint8_t { error, warning };

  Severity severity = Severity::error;
  Position position;
  std::uint32_t length = 1;  ///< Characters under the caret, on the line of `position`.
  std::string message;       ///< A sentence without a final full stop.
  std::string hint = {};     ///< What to do about it; may be empty.
  bool secret = false;       ///< The line holds what is not to be shown.
};

/// `file:line:column: error: message`, the line, a caret below it, and `  hint: …` if there is one; every
/// line ends in a newline. The line is cut around the caret to about 100 columns, its tabs stay, and whatever
/// could act on a terminal is written out. A line that is blank is left out together with its caret.
///
/// Takes time linear in the text for problems in the order of the text, as load() gives them.
std::string render(const Source& source, std::span<const Problem> problems);
std::string render(const Source& source, const Problem& problem);

/// Problems as they are found, by byte offset; lines and columns are worked out once, at the end.
class Findings {
 public:
  struct Finding {
    Problem::Severity severity;
    Extent extent;
    std::string message;
    std::string hint;
    bool secret = false;
  };

  void error(Extent extent, std::string message, std::string hint = {});
  /// The same where the line holds a secret, and is not shown.
  void secret_error(Extent extent, std::string message, std::string hint = {});
  void warning(Extent extent, std::string message, std::string hint = {});

  /// Forgets the others: with broken syntax they would only be guesses. Returns false, for `return only(…)`.
  bool only(Extent extent, std::string message, std::string hint = {});

  std::size_t errors() const { return errors_; }

  /// In the order of the text, each once (an alias can bring the same mistake to many places).
  std::vector<Problem> located(const Lines& lines) &&;

 private:
  std::vector<Finding> found_;
  std::size_t errors_ = 0;
};

/// `name` between backquotes, inert and cut to a readable length, for use inside a message.
std::string code(std::string_view name);

}  // namespace gather::job
