#include "core/job/document/pointer.hpp"

#include <charconv>
#include <optional>
#include <string>

namespace gather::job {
namespace {

std::string unescaped(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i)
    if (token[i] == '~' && i + 1 < token.size())
      name += token[++i] == '0' ? '~' : '/';
    else
      name += token[i];
  return name;
}

/// Without leading zeros: RFC 6901, section 4.
std::optional<std::size_t> place_in(std::string_view token) {
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), place);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return token.size() > 1 && token.front() == '0' ? std::nullopt : std::optional(place);
}

}  // namespace

Value member_of(Value map, std::string_view key) {
  for (const Member member : Members(map))
    if (member.key.text() == key) return member.value;
  return {};
}

Value item_of(Value list, std::size_t place) {
  if (place >= list.children()) return {};
  Value item = list.first();
  for (; place > 0; --place) item = item.next();
  return item;
}

Value follow(Value root, std::string_view pointer) {
  Value at = root;
  while (at && !pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (at.is_map())
      at = member_of(at, unescaped(token));
    else if (const auto place = at.is_list() ? place_in(token) : std::nullopt)
      at = item_of(at, *place);
    else
      at = Value();
  }
  return at;
}

}  // namespace gather::job
