#include "core/job/expect.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <regex.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

namespace gather::job {
namespace {

using Json = nlohmann::json;

constexpr int deepest_body = 512;  // Levels; printing a value calls itself for each.

/// A compiled regular expression. The C library's, not std::regex, whose recursion is as deep as the text is
/// long (libstdc++ bug 86164), so that a long body would end the program.
class Pattern {
 public:
  explicit Pattern(const std::string& text)
      : error_(regcomp(&regex_, text.c_str(), REG_EXTENDED | REG_NEWLINE | REG_NOSUB)) {}
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  ~Pattern() {
    if (error_ == 0) regfree(&regex_);
  }

  std::optional<std::string> fault() const {
    if (error_ == 0) return std::nullopt;
    std::array<char, 256> text{};
    regerror(error_, &regex_, text.data(), text.size());
    return std::string(text.data());
  }
  bool found_in(std::string_view text) const {
    regmatch_t where{.rm_so = 0, .rm_eo = static_cast<regoff_t>(text.size())};
    return regexec(&regex_, text.data() == nullptr ? "" : text.data(), 1, &where, REG_STARTEND) == 0;
  }

 private:
  regex_t regex_{};
  int error_;
};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// "text/html" of "Text/HTML; charset=utf-8".
std::string media_type(std::string_view header) {
  header = header.substr(0, header.find(';'));
  while (!header.empty() && (header.back() == ' ' || header.back() == '\t')) header.remove_suffix(1);
  return lower(header);
}

bool is_of_type(std::string_view type, std::string_view expected) {
  if (expected.ends_with("/*")) return type.starts_with(expected.substr(0, expected.size() - 1));
  return type == expected;
}

std::string any_of(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : " or ") + in_quotes(value);
  return text;
}

std::optional<std::string> fault_in_text(const ExpectedText& expected, std::string_view what,
                                         std::string_view text) {
  if (!expected.equals.empty() && std::ranges::find(expected.equals, text) == expected.equals.end())
    return fmt::format("{} is {}, not {}", what, in_quotes(text), any_of(expected.equals));
  for (const std::string& piece : expected.contains)
    if (!text.contains(piece)) return fmt::format("{} does not contain {}", what, in_quotes(piece));
  for (const std::string& pattern : expected.matches)
    if (!Pattern(pattern).found_in(text))
      return fmt::format("{} does not match {}", what, in_quotes(pattern));
  return std::nullopt;
}

std::optional<std::string> fault_in_value(const ExpectedValue& expected, const Json& document) {
  const Json::json_pointer pointer(expected.pointer);
  const Json* value = nullptr;
  try {
    if (document.contains(pointer)) value = &document.at(pointer);
  } catch (const Json::exception&) {  // An index that is none, as in /items/01.
  }
  const std::string where = expected.pointer.empty() ? "the JSON" : in_quotes(expected.pointer);
  if (!expected.exists)
    return value == nullptr ? std::nullopt
                            : std::optional(fmt::format("the JSON has {}, which is not expected", where));
  if (value == nullptr) return fmt::format("the JSON has no {}", where);
  if (!expected.equals || *value == Json::parse(*expected.equals, nullptr, false)) return std::nullopt;
  return fmt::format("in the JSON, {} is {}, not {}", where,
                     inert(value->dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 100)),
                     inert(*expected.equals));
}

}  // namespace

bool ExpectedStatus::allows(int status) const {
  if (listed.empty()) return status >= 200 && status <= 299;
  return std::ranges::find(listed, status) != listed.end();
}

std::optional<std::string> fault_in_headers(const Expect& expect, const HeaderValue& header, bool partial) {
  if (!expect.types.empty()) {
    const auto type = header("content-type");
    const bool right = type && std::ranges::any_of(expect.types, [&](const std::string& expected) {
                         return is_of_type(media_type(*type), expected);
                       });
    if (!type && !partial)
      return fmt::format("the answer has no type, and is to be {}", any_of(expect.types));
    if (type && !right)
      return fmt::format("the answer is {}, not {}", in_quotes(media_type(*type)), any_of(expect.types));
  }
  for (const ExpectedHeader& expected : expect.headers) {
    const auto value = header(expected.name);
    if (value && !expected.exists)
      return fmt::format("the answer has a header {}, which is not expected", expected.name);
    if (!value && expected.exists && !partial)
      return fmt::format("the answer has no header {}", expected.name);
    if (!value) continue;
    if (auto fault = fault_in_text(expected.value, fmt::format("the header {}", expected.name), *value))
      return fault;
  }
  return std::nullopt;
}

std::optional<std::string> fault_in_body(const Expect& expect, std::string_view body) {
  if (auto fault = fault_in_text(expect.body, "the body", body)) return fault;
  if (expect.json.empty()) return std::nullopt;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > deepest_body;
    return !too_deep;
  };
  const Json document = Json::parse(body, watch, false);
  if (too_deep) return fmt::format("the body is JSON of more than {} levels", deepest_body);
  if (document.is_discarded()) return "the body is no JSON";
  for (const ExpectedValue& expected : expect.json)
    if (auto fault = fault_in_value(expected, document)) return fault;
  return std::nullopt;
}

std::optional<std::string> fault_in_pattern(const std::string& pattern) { return Pattern(pattern).fault(); }

bool is_json_pointer(std::string_view pointer) {
  if (pointer.empty()) return true;
  if (pointer.front() != '/') return false;
  for (std::size_t at = pointer.find('~'); at != std::string_view::npos; at = pointer.find('~', at + 1))
    if (at + 1 == pointer.size() || (pointer[at + 1] != '0' && pointer[at + 1] != '1')) return false;
  return true;
}

}  // namespace gather::job
