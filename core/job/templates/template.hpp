/// The syntax of templates, `${{ … }}` inside a text. What their names stand for is fill.hpp's.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gather::job {

/// `tasks["a.b"].outputs.list[0]`: where it begins, and the way from there.
struct Path {
  using Step = std::variant<std::string, std::size_t>;  ///< A key, or the place of an item, from 0.
  std::string root;
  std::vector<Step> steps;

  /// As it could be written.
  std::string spell() const;

  friend bool operator==(const Path&, const Path&) = default;
};

/// A text cut into what stands for itself and what stands for something else, in order.
struct Template {
  std::vector<std::variant<std::string, Path>> pieces;

  /// The path, if it is all there is; what it stands for keeps its type then. Else null.
  const Path* whole() const { return pieces.size() == 1 ? std::get_if<Path>(&pieces.front()) : nullptr; }
};

inline bool has_template(std::string_view text) { return text.find("${{") != std::string_view::npos; }

/// Paths, and texts in single or double quotes, as in `${{ '${{' }}`, are all that may stand in a template.
/// The error is a sentence without a final full stop.
std::expected<Template, std::string> parse_template(std::string_view text);

}  // namespace gather::job
