/// A command with replacement strings, as GNU parallel writes them, and what becomes of it for given
/// arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gather::each {

/// What is made of an argument, a path, before it is put in.
enum class Form : std::uint8_t {
  whole,              ///< {}
  without_extension,  ///< {.}
  base,               ///< {/}
  directory,          ///< {//}
  stem,               ///< {/.}
};

/// `value` in that form: "a/b.txt" is "a/b", "b.txt", "a", "b".
std::string in_form(std::string_view value, Form form);

/// One replacement string, or the text between two.
struct Literal {
  std::string text;
};
struct AllArguments {
  Form form;
};
/// `{2}`, `{-1}`: from 1, or from the end with -1.
struct OneArgument {
  int number;
  Form form;
};
struct SequenceNumber {};
struct SlotNumber {};
using Piece = std::variant<Literal, AllArguments, OneArgument, SequenceNumber, SlotNumber>;

/// Where the number of the slot belongs: known only when the command is started.
struct SlotPlace {
  std::size_t word;
  std::size_t offset;  ///< In bytes, in the word as it is without any slot's number.

  friend bool operator==(const SlotPlace&, const SlotPlace&) = default;
};

/// Words ready to be run, but for the slot's number.
struct Expansion {
  std::vector<std::string> words;
  std::vector<SlotPlace> slots;

  friend bool operator==(const Expansion&, const Expansion&) = default;
};

class Template {
 public:
  /// What an argument becomes besides its form.
  enum class Quoting : std::uint8_t { none, shell };

  /// `words` as they were given; `names` are those of the columns, for `{name}`. A word in braces that is no
  /// replacement string stays as it is.
  Template(std::span<const std::string> words, std::span<const std::string> names);

  /// Whether anything is put in anywhere, be it `{#}` alone.
  bool has_replacements() const noexcept;
  /// Adds `{}` as the last word.
  void append_arguments();

  /// For one command. A word with `{}` becomes as many words as there are arguments: what stands before it
  /// goes to the first and what stands behind to the last, as a shell would read it; with `repeat` (-X) to
  /// each. Of a number beyond the arguments nothing is left.
  Expansion expand(std::span<const std::string> arguments, std::size_t sequence, Quoting quoting,
                   bool repeat) const;

 private:
  using Word = std::vector<Piece>;
  std::vector<Word> words_;
};

}  // namespace gather::each
