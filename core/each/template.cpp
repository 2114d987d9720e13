#include "core/each/template.hpp"

#include "core/base/quote.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace gather::each {
namespace {

constexpr std::pair<std::string_view, Form> forms[] = {{"", Form::whole},
                                                       {".", Form::without_extension},
                                                       {"/", Form::base},
                                                       {"//", Form::directory},
                                                       {"/.", Form::stem}};

std::optional<Form> form_of(std::string_view suffix) {
  for (const auto& [text, form] : forms)
    if (text == suffix) return form;
  return std::nullopt;
}

std::string_view base_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view without_extension(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  const bool extension = dot != std::string_view::npos && path.find('/', dot) == std::string_view::npos;
  return extension ? path.substr(0, dot) : path;
}

/// POSIX dirname.
std::string_view directory_of(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  path = path.substr(0, slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.empty() ? "/" : path;
}

/// What stands between braces; nothing if it is no replacement string.
std::optional<Piece> piece_of(std::string_view inside, std::span<const std::string> names) {
  if (inside == "#") return SequenceNumber{};
  if (inside == "%") return SlotNumber{};
  if (const auto form = form_of(inside)) return AllArguments{*form};
  // Names first: one that is a number is meant as the name.
  for (std::size_t i = 0; i < names.size(); ++i)
    if (inside.starts_with(names[i]) && !names[i].empty())
      if (const auto form = form_of(inside.substr(names[i].size())))
        return OneArgument{static_cast<int>(i) + 1, *form};
  int number = 0;
  const auto [end, error] = std::from_chars(inside.data(), inside.data() + inside.size(), number);
  if (error == std::errc{} && number != 0)
    if (const auto form = form_of(inside.substr(static_cast<std::size_t>(end - inside.data()))))
      return OneArgument{number, *form};
  return std::nullopt;
}

std::vector<Piece> pieces_of(std::string_view word, std::span<const std::string> names) {
  std::vector<Piece> pieces;
  std::string literal;
  while (!word.empty()) {
    if (word.front() == '{')
      if (const std::size_t end = word.find('}'); end != std::string_view::npos)
        if (auto piece = piece_of(word.substr(1, end - 1), names)) {
          if (!literal.empty()) pieces.emplace_back(Literal{std::exchange(literal, {})});
          pieces.push_back(std::move(*piece));
          word.remove_prefix(end + 1);
          continue;
        }
    literal += word.front();
    word.remove_prefix(1);
  }
  if (!literal.empty() || pieces.empty()) pieces.emplace_back(Literal{std::move(literal)});
  return pieces;
}

bool is_replaced(const Piece& piece) { return !std::holds_alternative<Literal>(piece); }

/// Where number `number` is among so many; nothing if there are not that many.
std::optional<std::size_t> index_of(int number, std::size_t count) {
  const auto size = static_cast<int>(count);
  const int index = number > 0 ? number - 1 : size + number;
  if (index < 0 || index >= size) return std::nullopt;
  return static_cast<std::size_t>(index);
}

/// An argument that is not there: a word of such alone vanishes, as it would in a shell.
bool stands_for_nothing(const Piece& piece, std::span<const std::string> arguments) {
  if (std::holds_alternative<AllArguments>(piece)) return arguments.empty();
  const auto* const one = std::get_if<OneArgument>(&piece);
  return one != nullptr && !index_of(one->number, arguments.size());
}

/// Builds the words of one command.
class Writer {
 public:
  Writer(std::span<const std::string> arguments, std::size_t sequence, Template::Quoting quoting)
      : arguments_(arguments), sequence_(sequence), quoting_(quoting) {}

  void begin_word() { result_.words.emplace_back(); }

  /// `all` stands for `{}`: every argument, or one alone.
  void put(const Piece& piece, std::span<const std::string> all) {
    std::visit([&](const auto& one) { put_one(one, all); }, piece);
  }

  Expansion result() && { return std::move(result_); }

 private:
  std::string& word() { return result_.words.back(); }

  void put_value(std::string_view value, Form form) {
    const std::string formed = in_form(value, form);
    word() += quoting_ == Template::Quoting::shell ? shell_quoted(formed) : formed;
  }
  void put_one(const Literal& literal, std::span<const std::string>) { word() += literal.text; }
  void put_one(const AllArguments& place, std::span<const std::string> all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i > 0) {
        if (quoting_ == Template::Quoting::shell)
          word() += ' ';
        else
          begin_word();
      }
      put_value(all[i], place.form);
    }
  }
  void put_one(const OneArgument& place, std::span<const std::string>) {
    if (const auto index = index_of(place.number, arguments_.size()))
      put_value(arguments_[*index], place.form);
  }
  void put_one(const SequenceNumber&, std::span<const std::string>) { word() += std::to_string(sequence_); }
  void put_one(const SlotNumber&, std::span<const std::string>) {
    result_.slots.push_back({result_.words.size() - 1, word().size()});
  }

  std::span<const std::string> arguments_;
  std::size_t sequence_;
  Template::Quoting quoting_;
  Expansion result_;
};

}  // namespace

std::string in_form(std::string_view value, Form form) {
  switch (form) {
    case Form::whole:
      break;
    case Form::without_extension:
      return std::string(without_extension(value));
    case Form::base:
      return std::string(base_of(value));
    case Form::directory:
      return std::string(directory_of(value));
    case Form::stem:
      return std::string(without_extension(base_of(value)));
  }
  return std::string(value);
}

Template::Template(std::span<const std::string> words, std::span<const std::string> names) {
  for (const std::string& word : words) words_.push_back(pieces_of(word, names));
}

bool Template::has_replacements() const noexcept {
  return std::ranges::any_of(words_, [](const Word& word) { return std::ranges::any_of(word, is_replaced); });
}

void Template::append_arguments() { words_.push_back({AllArguments{Form::whole}}); }

Expansion Template::expand(std::span<const std::string> arguments, std::size_t sequence, Quoting quoting,
                           bool repeat) const {
  Writer writer(arguments, sequence, quoting);
  for (const Word& word : words_) {
    const bool all = std::ranges::any_of(
        word, [](const Piece& piece) { return std::holds_alternative<AllArguments>(piece); });
    if (std::ranges::all_of(word, [&](const Piece& piece) { return stands_for_nothing(piece, arguments); }))
      continue;
    if (all && repeat) {
      for (std::size_t i = 0; i < arguments.size(); ++i) {
        writer.begin_word();
        for (const Piece& piece : word) writer.put(piece, arguments.subspan(i, 1));
      }
      continue;
    }
    writer.begin_word();
    for (const Piece& piece : word) writer.put(piece, arguments);
  }
  return std::move(writer).result();
}

}  // namespace gather::each
