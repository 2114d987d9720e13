#include "cmd/each_input.hpp"

#include "core/base/error.hpp"
#include "core/base/quote.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

namespace gather::cmd {
namespace {

constexpr std::array<std::string_view, 4> separators{":::", "::::", ":::+", "::::+"};

bool separates(const std::string& word) { return std::ranges::find(separators, word) != separators.end(); }

std::string read_file(const std::string& name) {
  const bool standard = name == "-";
  const int file = standard ? STDIN_FILENO : open(name.c_str(), O_RDONLY | O_CLOEXEC);
  const auto refuse = [&] {
    throw Error(ExitStatus::usage,
                fmt::format("can't read {}: {}", standard ? "standard input" : in_quotes(name),
                            system_error_text(errno)));
  };
  if (file < 0) refuse();
  std::string text;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t count = read(file, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) refuse();
    if (count == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (!standard) close(file);
  return text;
}

class Reader {
 public:
  explicit Reader(const EachCommand& command)
      : delimiter_(delimiter(command)),
        splits_words_(command.delimiter.has_value()),
        skip_blank_(command.no_run_if_empty) {}

  /// Words behind `:::`; --delimiter splits them, too, as parallel has it.
  each::Source words(std::span<const std::string> words, bool linked) {
    if (!splits_words_) return {{words.begin(), words.end()}, linked};
    each::Source source{{}, linked};
    for (const std::string& word : words) {
      // A word has no final newline: a delimiter at its end begins another one.
      for (std::string& value : each::split_values(word + delimiter_, delimiter_))
        source.values.push_back(std::move(value));
    }
    return source;
  }

  each::Source file(const std::string& name, bool linked) {
    if (name == "-" && std::exchange(stdin_taken_, true))
      throw Error(ExitStatus::usage, "standard input can be read once; two sources name it");
    const std::string text = read_file(name);
    if (skip_blank_ && text.find_first_not_of(" \t\r\n") == std::string::npos) return {{}, linked};
    return {each::split_values(text, delimiter_), linked};
  }

 private:
  static std::string delimiter(const EachCommand& command) {
    if (command.null) return {'\0'};
    return command.delimiter ? each::read_delimiter(command.delimiter->value) : "\n";
  }

  std::string delimiter_;
  bool splits_words_;
  bool skip_blank_;
  bool stdin_taken_ = false;
};

/// `:::` and its words, one source; `::::` and its files, a source each.
void read_group(std::string_view separator, std::span<const std::string> words, Reader& reader,
                std::vector<each::Source>& sources) {
  const bool linked = separator.ends_with('+');
  if (!separator.starts_with("::::")) {
    sources.push_back(reader.words(words, linked));
    return;
  }
  if (words.empty())
    throw Error(ExitStatus::usage, fmt::format("no file follows {}; - is standard input", separator));
  for (const std::string& file : words) sources.push_back(reader.file(file, linked));
}

}  // namespace

EachInput read_each_input(const EachCommand& command) {
  if (command.header && command.header->value != ":")
    throw Error(ExitStatus::usage, fmt::format("{}: only `:` is known, for the first value of each source",
                                               command.header->origin));
  EachInput result;
  Reader reader(command);
  std::vector<each::Source> sources;
  for (const Given& file : command.arg_files) sources.push_back(reader.file(file.value, false));
  const std::span<const std::string> rest(command.rest);
  auto at = std::ranges::find_if(rest, separates);
  result.command.assign(rest.begin(), at);
  while (at != rest.end()) {
    const auto end = std::find_if(at + 1, rest.end(), separates);
    read_group(*at, {at + 1, end}, reader, sources);
    at = end;
  }
  if (sources.empty()) {
    if (isatty(STDIN_FILENO) == 1)
      throw Error(ExitStatus::usage,
                  "no arguments: give them behind `:::`, in a file behind `::::`, or on standard input");
    sources.push_back(reader.file("-", false));
  }
  each::InputOptions options;
  if (command.colsep) options.colsep = command.colsep->value;
  options.header = command.header.has_value();
  options.link = command.link;
  result.input = each::combine(std::move(sources), options);
  return result;
}

}  // namespace gather::cmd
