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

CommandMaker::CommandMaker(const CommandOptions& options, std::span<const std::string> names)
    : shell_(options.shell),
      repeat_(options.repeat),
      keep_arguments_(options.keep_arguments),
      names_(names.begin(), names.end()) {
  if (options.tag) tag_.emplace(std::span(&*options.tag, 1), names_);
  if (options.words.empty()) return;
  words_ = template_words(options);
  if (words_.empty() || (shell_ && words_.front().find_first_not_of(" \t\n") == std::string::npos))
    throw Error(ExitStatus::usage,
                "the command is empty; write it before `:::`, as in gather each 'gzip {}' ::: *.log");
  body_.emplace(words_, names_);
  for (const std::string& word : words_) length_ += word.size() + 1;
}

void CommandMaker::append_arguments_if_unused() {
  if (!body_ || body_->has_replacements()) return;
  if (!shell_) return body_->append_arguments();
  words_.front() += " {}";
  body_.emplace(words_, names_);
}

Command CommandMaker::next(const Record& arguments) {
  const auto quoting = shell_ ? Template::Quoting::shell : Template::Quoting::none;
  Command command;
  command.sequence = ++made_;
  if (!body_) {
    command.run = own_command(arguments, shell_);
  } else {
    command.run = body_->expand(arguments, command.sequence, quoting, repeat_);
    if (shell_) command.run = for_shell(std::move(command.run));
  }
  if (command.run.words.empty() || command.run.words.front().empty())
    throw Error(ExitStatus::usage,
                fmt::format("command {} is empty: there is no program to run", command.sequence));
  command.shown = shown(command.run, shell_);
  if (keep_arguments_) command.arguments = arguments;
  if (tag_)
    command.tag = joined(tag_->expand(arguments, command.sequence, Template::Quoting::none, false).words);
  return command;
}

std::vector<Command> commands(const Input& input, const CommandOptions& options) {
  CommandMaker maker(options, input.names);
  maker.append_arguments_if_unused();
  std::vector<Command> all;
  for (const Record& arguments : grouped(input, options, maker.length()))
    all.push_back(maker.next(arguments));
  return all;
}

}  // namespace gather::each
