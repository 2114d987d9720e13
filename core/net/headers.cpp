#include "core/net/headers.hpp"

#include <algorithm>

namespace gather::net {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::string_view> Headers::get(std::string_view name) const noexcept {
  for (const auto& [field, value] : fields_)
    if (same_name(field, name)) return value;
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name, std::string_view otherwise) const noexcept {
  return get(name).value_or(otherwise);
}

std::vector<std::string_view> Headers::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [field, value] : fields_)
    if (same_name(field, name)) values.push_back(value);
  return values;
}

void Headers::add(std::string name, std::string value) {
  constexpr std::size_t usual = 16;
  if (fields_.capacity() == 0) fields_.reserve(usual);
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  erase(name);
  add(std::move(name), std::move(value));
}

std::size_t Headers::erase(std::string_view name) {
  return std::erase_if(fields_, [name](const Field& field) { return same_name(field.first, name); });
}

void Headers::extend_last(std::string_view more) {
  if (fields_.empty()) return;
  if (!fields_.back().second.empty())
    fields_.back().second += ' ';  // `Name:` and its value on the next line.
  fields_.back().second += more;
}

}  // namespace gather::net
