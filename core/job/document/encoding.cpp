#include "core/job/document/encoding.hpp"

#include "core/base/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gather::job {
namespace {

bool is_plain_ascii(char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r'; }

bool looks_like_utf16(std::string_view body) {
  if (body.starts_with("\xff\xfe") || body.starts_with("\xfe\xff")) return true;
  return body.size() >= 4 && ((body[0] == 0) != (body[1] == 0)) && ((body[0] == 0) == (body[2] == 0)) &&
         (body[1] == 0) == (body[3] == 0);
}

bool is_forbidden(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe ||
         c == 0xffff;
}

std::string describe(char32_t c) {
  const auto number = static_cast<unsigned>(c);
  switch (c) {
    case 0x00:
      return "a NUL byte";
    case 0x1b:
      return "an escape character (U+001B)";
    case 0x2028:
      return "a line separator (U+2028)";
    case 0x2029:
      return "a paragraph separator (U+2029)";
    case 0xfeff:
      return "a byte order mark (U+FEFF) inside the text";
    default:
      return fmt::format("a {} (U+{:04X})", c < 0x100 ? "control character" : "character that is none",
                         number);
  }
}

}  // namespace

bool check_encoding(std::string_view body, Findings& findings) {
  if (looks_like_utf16(body)) return findings.only({0, 1}, "the file is UTF-16", "save it as UTF-8");
  for (std::size_t i = 0; i < body.size();) {
    if (is_plain_ascii(body[i])) {
      ++i;
      continue;
    }
    const Utf8Step step = decode_utf8(body.substr(i));
    const Extent here{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i + step.length)};
    if (!step.valid)
      return findings.only(here,
                           fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(body[i])),
                           "save the file as UTF-8");
    if (step.character == 0)
      return findings.only(here, "a NUL byte: this is no text file", "name a job file in YAML or JSON");
    if (is_forbidden(step.character))
      return findings.only(here, fmt::format("{} is not allowed here", describe(step.character)),
                           fmt::format("remove it, or write \"\\u{:04x}\" in double quotes",
                                       static_cast<unsigned>(step.character)));
    i += step.length;
  }
  return true;
}

}  // namespace gather::job
