#include "core/each/commands.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"
#include "core/each/word_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gather::each {
namespace {

std::string joined(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

/// The template's words: of one text what it splits into, of several those; for a shell all in one.
std::vector<std::string> template_words(const CommandOptions& options) {
  if (options.shell) return {joined(options.words)};
  if (options.words.size() == 1) return split_words(options.words.front());
  return options.words;
}

/// How many arguments the command that begins with `arguments` takes when it is to be filled.
std::size_t fitting(std::span<const std::string> arguments, std::size_t fixed) {
  std::size_t length = fixed;
  std::size_t count = 0;
  while (count < arguments.size()) {
    length += arguments[count].size() + 1;
    if (count > 0 && length > longest_command_line) break;
    ++count;
  }
  return count;
}

/// The arguments of each command.
std::vector<Record> grouped(const Input& input, const CommandOptions& options, std::size_t fixed) {
  if (!options.arguments_per_command && !options.fill) return input.records;
  std::vector<std::string> all;
  for (const Record& record : input.records) all.insert(all.end(), record.begin(), record.end());
  std::span<const std::string> left(all);
  std::vector<Record> groups;
  std::size_t most = options.arguments_per_command.value_or(all.size());
  bool spread = false;
  while (!left.empty()) {
    std::size_t count = std::min(most, options.fill ? fitting(left, fixed) : left.size());
    // Every slot gets its share of the last ones, as GNU parallel has it.
    if (options.fill && !options.arguments_per_command && count == left.size() &&
        !std::exchange(spread, true))
      most = count = 1 + (count - 1) / options.slots;
    groups.emplace_back(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
    left = left.subspan(count);
  }
  return groups;
}

/// A record that is a command itself.
Expansion own_command(const Record& record, bool shell) {
  const std::string text = joined(record);
  if (shell) return {{"sh", "-c", text}, {}};
  return {split_words(text), {}};
}

Expansion for_shell(Expansion script) {
  Expansion run{{"sh", "-c", joined(script.words)}, {}};
  for (const SlotPlace& place : script.slots) run.slots.push_back({2, place.offset});
  return run;
}

std::string shown(const Expansion& run, bool shell) {
  return shell ? run.words.back() : shell_quoted(std::span<const std::string>(run.words));
}

}  // namespace

std::vector<Command> commands(const Input& input, const CommandOptions& options) {
  std::vector<Command> all;
  std::optional<Template> body;
  std::optional<Template> tag;
  if (options.tag) tag.emplace(std::span(&*options.tag, 1), input.names);
  std::size_t fixed = 0;
  if (!options.words.empty()) {
    const std::vector<std::string> words = template_words(options);
    if (words.empty() || (options.shell && words.front().find_first_not_of(" \t\n") == std::string::npos))
      throw Error(ExitStatus::usage,
                  "the command is empty; write it before `:::`, as in gather each 'gzip {}' "
                  "::: *.log");
    body.emplace(words, input.names);
    if (!body->has_replacements()) {
      if (options.shell) {
        std::vector<std::string> with_arguments = words;
        with_arguments.front() += " {}";
        body.emplace(with_arguments, input.names);
      } else {
        body->append_arguments();
      }
    }
    for (const std::string& word : words) fixed += word.size() + 1;
  }
  const auto quoting = options.shell ? Template::Quoting::shell : Template::Quoting::none;
  for (const Record& arguments : grouped(input, options, fixed)) {
    Command command;
    command.sequence = all.size() + 1;
    if (!body) {
      command.run = own_command(arguments, options.shell);
    } else {
      command.run = body->expand(arguments, command.sequence, quoting, options.repeat);
      if (options.shell) command.run = for_shell(std::move(command.run));
    }
    if (command.run.words.empty() || command.run.words.front().empty())
      throw Error(ExitStatus::usage,
                  fmt::format("command {} is empty: there is no program to run", command.sequence));
    command.shown = shown(command.run, options.shell);
    if (tag)
      command.tag = joined(tag->expand(arguments, command.sequence, Template::Quoting::none, false).words);
    all.push_back(std::move(command));
  }
  return all;
}

}  // namespace gather::each
