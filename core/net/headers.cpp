#include "core/net/headers.hpp"

#include <algorithm>
#include <utility>

namespace gather::net {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

Headers::Headers(std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  for (const auto& [field, value] : *this)
    if (same_name(field, name)) return value;
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name, std::string_view otherwise) const noexcept {
  return get(name).value_or(otherwise);
}

std::vector<std::string_view> Headers::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [field, value] : *this)
    if (same_name(field, name)) values.push_back(value);
  return values;
}

void Headers::add(std::string_view name, std::string_view value) {
  constexpr std::size_t usual_fields = 16;
  constexpr std::size_t usual_text = 500;
  if (places_.capacity() == 0) places_.reserve(usual_fields);
  const std::size_t size = text_.size() + name.size() + value.size();
  places_.push_back({text_.size(), name.size(), value.size()});
  if (size <= text_.capacity()) {
    text_.append(name).append(value);
    return;
  }
  std::string longer;  // Name and value may stand in the text that goes.
  longer.reserve(std::max(usual_text, 2 * size));
  longer.append(text_).append(name).append(value);
  text_ = std::move(longer);
}

void Headers::set(std::string_view name, std::string_view value) {
  Headers changed = without(name);
  changed.add(name, value);
  *this = std::move(changed);
}

std::size_t Headers::erase(std::string_view name) {
  const std::size_t before = size();
  if (contains(name)) *this = without(name);
  return before - size();
}

Headers Headers::without(std::string_view name) const {
  Headers left;
  for (const auto& [field, value] : *this)
    if (!same_name(field, name)) left.add(field, value);
  return left;
}

void Headers::extend_last(std::string_view more) {
  if (places_.empty()) return;
  const std::size_t before = text_.size();
  if (places_.back().value_size != 0) text_ += ' ';  // `Name:` and its value on the next line.
  text_ += more;
  places_.back().value_size += text_.size() - before;  // The last field's value ends the text.
}

bool operator==(const Headers& a, const Headers& b) noexcept { return std::ranges::equal(a, b); }

}  // namespace gather::net
