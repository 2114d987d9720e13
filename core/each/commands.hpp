/// From a template and its input to the commands to run, in order.
#pragma once

#include "core/each/input.hpp"
#include "core/each/template.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gather::each {

struct CommandOptions {
  std::vector<std::string> words;  ///< The command; none: each record is a command of its own.
  bool shell = false;              ///< `sh` reads it, and arguments are quoted for it.
  std::optional<std::size_t> arguments_per_command;  ///< -n; at least 1.
  bool fill =
      false;  ///< -X, -m: as many arguments as a command line holds, spread over the slots at the end.
  bool repeat = false;             ///< -X: what stands around `{}` in a word comes again with each argument.
  std::size_t slots = 1;           ///< That `fill` spreads over.
  bool keep_arguments = false;     ///< In Command::arguments.
  std::optional<std::string> tag;  ///< A template for what begins each line of output.
};

/// One command to run.
struct Command {
  std::size_t sequence;                     ///< From 1.
  Expansion run;                            ///< Never empty; with a shell `sh -c SCRIPT`.
  std::string shown;                        ///< As a shell would read it, for people, --dry-run and --joblog.
  std::string tag;                          ///< Empty without one.
  std::vector<std::string> arguments = {};  ///< Empty unless they were to be kept.
};

/// A line of output begins with what --tag says: all arguments.
inline constexpr const char* tag_of_all_arguments = "{}";

/// The longest command line that `fill` makes, in bytes, as GNU parallel has it.
inline constexpr std::size_t longest_command_line = 128 * 1024;

/// Makes commands of a template, one after the other.
class CommandMaker {
 public:
  /// `names` are those of the columns. Without words each record is a command of its own. Throws Error(usage)
  /// for a command that is none: nothing to run, or a text that only a shell understands.
  CommandMaker(const CommandOptions& options, std::span<const std::string> names);

  /// Adds `{}` as the last word where nothing is put in anywhere else.
  void append_arguments_if_unused();

  /// The next command, for these arguments. Throws as the constructor.
  Command next(const Record& arguments);

  /// Bytes of the template's words as a command line has them.
  std::size_t length() const { return length_; }

 private:
  bool shell_;
  bool repeat_;
  bool keep_arguments_;
  std::vector<std::string> words_;
  std::vector<std::string> names_;
  std::optional<Template> body_;
  std::optional<Template> tag_;
  std::size_t length_ = 0;
  std::size_t made_ = 0;
};

/// The commands for all of the input. Throws Error(usage) for a command that is none: nothing to run, or a
/// text that only a shell understands.
std::vector<Command> commands(const Input& input, const CommandOptions& options);

}  // namespace gather::each
