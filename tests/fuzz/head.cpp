// What must hold for the head of an answer of any bytes at all, read line by line as libcurl hands it over,
// and for what is read out of its headers and out of the note beside a part.
#include "core/net/head.hpp"

#include "core/net/content_range.hpp"
#include "core/net/part_note.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

namespace {

using namespace gather::net;

void require(bool holds) {
  if (!holds) std::abort();  // An assert would vanish with NDEBUG.
}

bool has_blank_around(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  return !text.empty() && (blanks.contains(text.front()) || blanks.contains(text.back()));
}

void check(const HeadReader& reader) {
  const Head& head = reader.head();
  require(head.status >= 0 && head.status <= 999);
  require(!reader.complete() || head.status >= 200);
  require(!head.length || *head.length <= std::numeric_limits<std::int64_t>::max());
  require(!has_blank_around(head.reason));
  for (const auto& [name, value] : head.headers) {
    require(!name.contains(':') && !name.contains('\n') && !value.contains('\n') && !has_blank_around(value));
    require(head.headers.get(name).has_value());
    const auto range = parse_content_range(value);
    if (!range) continue;
    require(range->span || range->total);
    if (range->span) require(range->span->first <= range->span->last);
    if (range->span && range->total) require(range->span->last < *range->total);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  HeadReader reader;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
    rest.remove_prefix(line.size());
    const bool taken = reader.read(line);
    require(taken == reader.fault().empty());
    check(reader);
    if (!taken) break;
  }
  if (const auto note = parse_note(text)) require(to_text(*note) == text);
  return 0;
}
