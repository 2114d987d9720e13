#include "core/net/head.hpp"

#include "core/base/quote.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

namespace gather::net {
namespace {

constexpr std::size_t longest_head = 256 * 1024;  // Below libcurl's own limit, whose error means many things.

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

/// The number that `text` is, digits alone.
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

bool HeadReader::refuse(std::string fault) {
  fault_ = std::move(fault);
  return false;
}

bool HeadReader::read(std::string_view line) {
  size_ += line.size();
  if (size_ > longest_head) return refuse("sent headers without end");
  if (line.starts_with("HTTP/")) {
    head_ = Head();
    complete_ = false;
    const std::string_view rest = trimmed(line.substr(std::min(line.find(' '), line.size())));
    head_.status = static_cast<int>(number(rest.substr(0, 3)).value_or(0));
    head_.reason = trimmed(rest.substr(std::min<std::size_t>(3, rest.size())));
    return true;
  }
  if (complete_) return true;
  if (line.empty() || is_blank(line.front())) {
    const std::string_view folded = trimmed(line);
    if (folded.empty())
      complete_ = head_.status >= 200;
    else
      head_.headers.extend_last(folded);
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string_view field = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  head_.headers.add(field, value);
  if (same_name(field, "content-length")) return read_length(value);
  if (same_name(field, "transfer-encoding") && !same_name(value, "identity")) {
    head_.chunked = true;
    if (same_name(value, "chunked")) return true;
    return refuse(fmt::format("sent the body in a coding that was not asked for: {}", in_quotes(value)));
  }
  if (same_name(field, "location")) head_.has_location = true;
  if (same_name(field, "retry-after")) head_.retry_after = value;
  return true;
}

bool HeadReader::read_length(std::string_view value) {
  const std::optional<std::uint64_t> length = number(value);
  if (!length || *length > std::numeric_limits<std::int64_t>::max())
    return refuse(fmt::format("sent a length that is none: {}", in_quotes(value)));
  if (head_.length && *head_.length != *length)
    return refuse(fmt::format("sent two different lengths, {} and {}", *head_.length, *length));
  head_.length = length;
  return true;
}

}  // namespace gather::net
