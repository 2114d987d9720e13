#include "core/job/pages.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ranges>
#include <vector>

namespace gather::job {
namespace {

using Json = nlohmann::json;

/// Walks over text that is known to be JSON, without reading more of it than where values end.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// The text of the value that begins here, which it goes behind.
  std::string_view value() {
    skip_blanks();
    const std::size_t begin = at_;
    std::size_t depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"')
        skip_string();
      else
        ++at_;
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
    } while (depth > 0);
    if (const char first = text_[begin]; first != '"' && first != '[' && first != '{')
      at_ = std::min(text_.find_first_of(",]} \t\r\n", begin), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  /// Whether this character is next; it goes behind it then.
  bool takes(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  void skip_string() {
    for (++at_; text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\') ++at_;
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// The text of the member of that name; of the last one if there are several, as parsers have it.
std::optional<std::string_view> member(std::string_view object, const std::string& name) {
  Scanner scanner(object);
  if (!scanner.takes('{') || scanner.takes('}')) return std::nullopt;
  std::optional<std::string_view> found;
  do {
    const bool is_it = Json::parse(scanner.value()).get<std::string>() == name;
    scanner.takes(':');
    const std::string_view value = scanner.value();
    if (is_it) found = value;
  } while (scanner.takes(','));
  return found;
}

std::optional<std::string_view> element(std::string_view array, std::size_t index) {
  Scanner scanner(array);
  if (!scanner.takes('[') || scanner.takes(']')) return std::nullopt;
  for (;; --index) {
    const std::string_view value = scanner.value();
    if (index == 0) return value;
    if (!scanner.takes(',')) return std::nullopt;
  }
}

/// Null if nothing is there.
const Json* value_at(const Json& document, const std::string& pointer) {
  try {
    const Json::json_pointer path(pointer);
    return document.contains(path) ? &document.at(path) : nullptr;
  } catch (const Json::exception&) {  // An index that is none, as in /items/01.
    return nullptr;
  }
}

/// What is between the brackets of `array`, which is one.
std::string_view items_of(std::string_view array) {
  constexpr std::string_view blanks = " \t\r\n";
  array = array.substr(1, array.size() - 2);
  const std::size_t first = array.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return array.substr(first, array.find_last_not_of(blanks) - first + 1);
}

}  // namespace

std::expected<PageText, std::string> read_page(const Paginate& paginate, std::string_view body) {
  const Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) return std::unexpected("a page is no JSON");
  PageText page;
  // The DOM tells what is where, the text is taken from the body.
  const Json::json_pointer pointer(paginate.items);
  const std::string where = paginate.items.empty() ? "the page" : in_quotes(paginate.items) + " in a page";
  const Json* const array = value_at(document, paginate.items);
  if (array == nullptr) return std::unexpected(fmt::format("there is no {}", where));
  if (!array->is_array()) return std::unexpected(fmt::format("{} is no array", where));
  std::optional<std::string_view> text = Scanner(body).value();
  std::vector<std::string> path;
  for (Json::json_pointer rest = pointer; !rest.empty(); rest.pop_back()) path.push_back(rest.back());
  const Json* at = &document;
  for (const std::string& step : path | std::views::reverse) {
    const bool in_array = at->is_array();
    const std::size_t index = in_array ? std::stoul(step) : 0;
    text = in_array ? element(*text, index) : member(*text, step);
    at = in_array ? &at->at(index) : &at->at(step);
  }
  page.items = items_of(*text);
  if (!paginate.next) return page;
  const Json* const value = value_at(document, *paginate.next);
  if (value == nullptr || value->is_null() || *value == false || *value == "") return page;
  if (!value->is_string())  // Its text is not shown: printing a value recurses.
    return std::unexpected(
        fmt::format("{} in a page is no URL, but of type {}", in_quotes(*paginate.next), value->type_name()));
  page.next = value->get<std::string>();
  return page;
}

}  // namespace gather::job
