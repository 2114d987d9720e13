/// A command's flags, as parse_command_line declares them.
#pragma once

#include "cmd/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace gather::cmd {

/// One command's flags. CLI11 parses, whose header costs a compiler twenty seconds; this remembers what came
/// from a flag and what from the environment. What flags write to must outlive parse().
class Flags {
 public:
  Flags(std::string_view command, std::string_view summary);
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  /// Flags added from now on have no environment twin: their names mean something else elsewhere.
  void without_twins() { twins_ = false; }

  void words(const std::string& name, std::vector<std::string>& target, const std::string& help);
  void value(const std::string& names, std::optional<Given>& target, const std::string& type,
             const std::string& help);
  /// A flag that may be given a value, after `=` only: the next word is never its own.
  void flag_or_value(const std::string& name, std::optional<Given>& target, const std::string& help);
  void list(const std::string& names, std::vector<Given>& target, const std::string& type,
            const std::string& help);
  void flag(const std::string& names, bool& target, const std::string& help);
  void count(const std::string& names, int& target, const std::string& help);
  void accepted(const std::string& names, const std::string& help);

  /// Whether `word` is a flag whose value is the next word.
  bool takes_next_word(std::string_view word) const;

  /// Returns the help text instead, if it was asked for. Throws gather::Error (usage).
  std::optional<std::string> parse(std::vector<std::string> arguments);

 private:
  static std::string twin(const CLI::Option* option);
  void with_twin(CLI::Option* option) const;
  std::string origin(const CLI::Option* option) const;
  std::string explain(const CLI::ParseError& error) const;

  std::unique_ptr<CLI::App> app_;
  bool twins_ = true;
  std::vector<std::function<void()>> after_;
};

}  // namespace gather::cmd
