#include "core/report/columns.hpp"

#include "core/base/utf8.hpp"
#include "core/base/width.hpp"

namespace gather::report {

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Utf8Step step = decode_utf8(text);
    columns += columns_of(step.character);
    text.remove_prefix(step.length);
  }
  return columns;
}

std::string cut(std::string_view text, std::size_t columns) {
  if (text.size() <= columns || width(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t bytes = 0;
  std::size_t used = 0;
  while (true) {
    const Utf8Step step = decode_utf8(text.substr(bytes));
    if (used + columns_of(step.character) > columns - 1) break;
    used += columns_of(step.character);
    bytes += step.length;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t used = width(text);
  return std::string(text) + std::string(used < columns ? columns - used : 0, ' ');
}

std::string right_aligned(std::string_view text, std::size_t columns) {
  const std::size_t used = width(text);
  return std::string(used < columns ? columns - used : 0, ' ') + std::string(text);
}

}  // namespace gather::report
