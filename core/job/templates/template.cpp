#include "core/job/templates/template.hpp"

#include "core/job/document/problem.hpp"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace gather::job {
namespace {

constexpr std::string_view opening = "${{";
constexpr std::string_view closing = "}}";

bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_in_name(char c) {
  return begins_name(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '-';
}

/// Reads from the front of a text, and takes away what it has read.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }

  void skip_blanks() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())) != 0)
      rest_.remove_prefix(1);
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string> name() {
    if (rest_.empty() || !begins_name(rest_.front())) return std::nullopt;
    std::size_t size = 1;
    while (size < rest_.size() && is_in_name(rest_[size])) ++size;
    std::string name(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return name;
  }

  std::optional<std::string> quoted() {
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::optional<std::size_t> number() {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

 private:
  std::string_view rest_;
};

std::optional<Path::Step> step_in_brackets(Cursor& cursor) {
  cursor.skip_blanks();
  std::optional<Path::Step> step;
  if (auto key = cursor.quoted())
    step = std::move(*key);
  else if (const auto place = cursor.number())
    step = *place;
  cursor.skip_blanks();
  return step && cursor.take("]") ? step : std::nullopt;
}

/// The steps behind a root; false where something else stands.
bool read_steps(Cursor& cursor, Path& path) {
  while (true) {
    if (cursor.take(".")) {
      auto key = cursor.name();
      if (!key) return false;
      path.steps.emplace_back(std::move(*key));
    } else if (cursor.take("[")) {
      auto step = step_in_brackets(cursor);
      if (!step) return false;
      path.steps.push_back(std::move(*step));
    } else {
      return true;
    }
  }
}

std::string not_readable(std::string_view at) {
  const std::string_view shown = at.substr(0, at.find(closing));
  if (at.find(closing) == std::string_view::npos) return "this template has no end: `}}` is missing";
  return fmt::format(
      "{} can't stand in a template; paths can, as in `tasks.login.outputs.token`, and texts "
      "in quotes",
      code(shown.substr(0, shown.find_last_not_of(" \t\r\n") + 1)));
}

}  // namespace

std::string Path::spell() const {
  std::string text = root;
  for (const Step& step : steps) {
    const auto* const key = std::get_if<std::string>(&step);
    if (key == nullptr)
      text += fmt::format("[{}]", std::get<std::size_t>(step));
    else if (auto name = Cursor(*key).name(); name && *name == *key)
      text += "." + *key;
    else
      text += fmt::format("[\"{}\"]", *key);
  }
  return text;
}

std::expected<Template, std::string> parse_template(std::string_view text) {
  Template made;
  const auto add_text = [&](std::string_view more) {
    if (more.empty()) return;
    if (made.pieces.empty() || std::holds_alternative<Path>(made.pieces.back()))
      made.pieces.emplace_back(std::string());
    std::get<std::string>(made.pieces.back()) += more;
  };
  while (true) {
    const std::size_t begin = text.find(opening);
    add_text(text.substr(0, begin));
    if (begin == std::string_view::npos) return made;
    Cursor cursor(text.substr(begin + opening.size()));
    cursor.skip_blanks();
    const std::string_view inside = cursor.rest();
    if (inside.starts_with(closing)) return std::unexpected("this template is empty");
    if (const auto literal = cursor.quoted()) {
      add_text(*literal);
    } else {
      Path path;
      auto root = cursor.name();
      if (!root) return std::unexpected(not_readable(inside));
      path.root = std::move(*root);
      if (!read_steps(cursor, path)) return std::unexpected(not_readable(inside));
      made.pieces.emplace_back(std::move(path));
    }
    cursor.skip_blanks();
    if (!cursor.take(closing)) return std::unexpected(not_readable(inside));
    text = cursor.rest();
  }
}

}  // namespace gather::job
