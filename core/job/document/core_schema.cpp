#include "core/job/document/core_schema.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace gather::job {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool one_of(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}

std::string_view unsigned_part(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text;
}

bool is_integer(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex || text.starts_with("0o")) {
    text.remove_prefix(2);
    return !text.empty() && std::ranges::all_of(text, [hex](char c) {
      return hex ? is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') : c >= '0' && c <= '7';
    });
  }
  text = unsigned_part(text);
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::size_t leading_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

bool is_finite_real(std::string_view text) {
  text = unsigned_part(text);
  std::size_t digits = leading_digits(text);
  text.remove_prefix(digits);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t fraction = leading_digits(text);
    digits += fraction;
    text.remove_prefix(fraction);
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text = unsigned_part(text.substr(1));
  return !text.empty() && leading_digits(text) == text.size();
}

constexpr std::array<std::string_view, 3> infinities{".inf", ".Inf", ".INF"};
constexpr std::array<std::string_view, 3> no_numbers{".nan", ".NaN", ".NAN"};

}  // namespace

Type type_of(std::string_view plain) {
  constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
  constexpr std::array<std::string_view, 6> booleans{"true", "True", "TRUE", "false", "False", "FALSE"};
  if (one_of(plain, nulls)) return Type::null;
  if (one_of(plain, booleans)) return Type::boolean;
  if (is_integer(plain)) return Type::integer;
  if (is_finite_real(plain) || one_of(unsigned_part(plain), infinities) || one_of(plain, no_numbers))
    return Type::real;
  return Type::text;
}

std::optional<std::int64_t> to_integer(std::string_view plain) {
  if (!is_integer(plain)) return std::nullopt;
  int base = 10;
  if (plain.starts_with("0x")) base = 16;
  if (plain.starts_with("0o")) base = 8;
  if (base != 10) plain.remove_prefix(2);
  if (plain.starts_with('+')) plain.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(plain.data(), plain.data() + plain.size(), value, base);
  return failure == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> to_real(std::string_view plain) {
  if (const auto whole = to_integer(plain)) return static_cast<double>(*whole);
  const bool negative = plain.starts_with('-');
  if (one_of(plain, no_numbers)) return std::numeric_limits<double>::quiet_NaN();
  if (one_of(unsigned_part(plain), infinities)) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return negative ? -infinity : infinity;
  }
  if (!is_finite_real(plain)) return std::nullopt;
  plain = unsigned_part(plain);
  double value = 0;
  const auto [end, failure] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (failure !=
      std::errc()) {  // Out of range: towards nothing or beyond everything, which the exponent tells.
    const bool tiny =
        plain.find("e-") != std::string_view::npos || plain.find("E-") != std::string_view::npos;
    value = tiny ? 0 : std::numeric_limits<double>::infinity();
  }
  return negative ? -value : value;
}

std::string_view misread_as(std::string_view plain) {
  constexpr std::array<std::string_view, 6> yes{"yes", "Yes", "YES", "on", "On", "ON"};
  constexpr std::array<std::string_view, 6> no{"no", "No", "NO", "off", "Off", "OFF"};
  if (one_of(plain, yes)) return "true";
  if (one_of(plain, no)) return "false";
  if (type_of(plain) == Type::null) return "nothing";
  const std::string_view digits = unsigned_part(plain);
  if (digits.size() > 1 && digits[0] == '0' && leading_digits(digits) == digits.size())
    return "an octal number";
  // Base 60: one number, then groups below 60.
  const std::size_t first = leading_digits(digits);
  if (first == 0 || first == digits.size()) return {};
  for (std::string_view rest = digits.substr(first); !rest.empty();) {
    if (!rest.starts_with(':')) return {};
    rest.remove_prefix(1);
    const std::size_t group = leading_digits(rest);
    if (group == 0 || group > 2 || (group == 2 && rest[0] > '5')) return {};
    rest.remove_prefix(group);
  }
  return "a number in base 60";
}

}  // namespace gather::job
