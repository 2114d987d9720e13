/// The keys of a fetch that say what is written, and what must be true of it.
#include "core/base/size.hpp"
#include "core/job/check/fetch.hpp"
#include "core/job/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <utility>

namespace gather::job {
namespace {

struct DigestKind {
  std::string_view name;
  std::size_t digits;
};
constexpr std::array kinds{DigestKind{"sha256", 64}, DigestKind{"sha512", 128}, DigestKind{"sha384", 96},
                           DigestKind{"sha1", 40},   DigestKind{"md5", 32},     DigestKind{"blake2b", 128}};

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// Standard base64 with its padding, as package locks have it; nothing if `text` is anything else.
std::optional<std::string> hex_of_base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t end = std::min(text.find('='), text.size());
  const std::size_t padding = text.size() - end;
  if (text.size() % 4 != 0 || padding > 2 || text.substr(end) != std::string_view("==").substr(0, padding))
    return std::nullopt;
  std::string hex;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text.substr(0, end)) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    hex += fmt::format("{:02x}", (bits >> static_cast<unsigned>(count)) & 0xffU);
  }
  if ((bits & ((1U << static_cast<unsigned>(count)) - 1)) != 0)
    return std::nullopt;  // Not as an encoder ends.
  return hex;
}

}  // namespace

void read_sha256(Reader& reader, Member member, FetchDraft& draft) {
  const auto text = reader.scalar(member.value, "a SHA-256");
  if (!text) return;
  if (!is_hex(*text) || text->size() != 64)
    return reader.error(
        member.value, "a SHA-256 is 64 hexadecimal digits",
        is_hex(*text) ? fmt::format("this has {}", text->size()) : "sha256sum FILE prints it");
  draft.fetch.checksum = Checksum{"sha256", lower(*text)};
  draft.fetch.saving.edit().checksums.reset();
}

void read_checksum(Reader& reader, Member member, FetchDraft& draft) {
  const auto text = reader.text(member.value);
  if (!text) return;
  const std::size_t end = std::min(text->find_first_of(":-"), text->size());
  const auto* const kind = std::ranges::find(kinds, text->substr(0, end), &DigestKind::name);
  if (kind == kinds.end() || end == text->size())
    return reader.error(member.value, fmt::format("{} is no checksum", code(*text)),
                        "as in `sha512:HEX` or `sha512-BASE64`; sha256, sha512, sha384, sha1, md5, blake2b");
  const std::string_view digest = text->substr(end + 1);
  std::optional<std::string> hex;
  if ((*text)[end] == '-')
    hex = hex_of_base64(digest);
  else if (is_hex(digest))
    hex = lower(digest);
  if (!hex || hex->size() != kind->digits)
    return reader.error(member.value,
                        fmt::format("this is no {}: it has {} hexadecimal digits, or as many bits in base64",
                                    kind->name, kind->digits),
                        fmt::format("{}sum FILE prints it", kind->name == "blake2b" ? "b2" : kind->name));
  draft.fetch.checksum = Checksum{std::string(kind->name), std::move(*hex)};
  draft.fetch.saving.edit().checksums.reset();
}

void read_checksums(Reader& reader, Member member, FetchDraft& draft) {
  const auto text = reader.text(member.value);
  if (!text) return;
  if (text->empty()) return reader.error(member.value, "this names no list", "write a path or a URL");
  if (text->starts_with("http://") || text->starts_with("https://"))
    if (const auto fault = fault_in_url(*text))
      return reader.error(member.value, fault->message, fault->hint);
  draft.fetch.saving.edit().checksums = *text;
  draft.fetch.checksum.reset();
}

void read_resume(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto resume = reader.boolean(member.value)) draft.fetch.saving.edit().resume = *resume;
}

void read_compressed(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto compressed = reader.boolean(member.value))
    draft.fetch.saving.edit().compressed = *compressed;
}

void read_if_exists(Reader& reader, Member member, FetchDraft& draft) {
  static constexpr std::array<std::string_view, 4> words{"verify", "skip", "overwrite", "fail"};
  if (const auto word = reader.word(member.value, words))
    draft.fetch.saving.edit().if_exists = static_cast<IfExists>(*word);
}

void read_max_size(Reader& reader, Member member, FetchDraft& draft) {
  const auto text = reader.scalar(member.value, "a size");
  if (!text) return;
  const auto size = parse_size(*text);
  if (!size)
    return reader.error(member.value, fmt::format("{} is no size", code(*text)),
                        "as in 500, 10kB, 10MB, 4MiB, 2GB: a whole number of bytes or of a unit");
  draft.fetch.saving.edit().max_size = *size;
}

void read_mtime(Reader& reader, Member member, FetchDraft& draft) {
  if (const auto mtime = reader.boolean(member.value)) draft.fetch.saving.edit().mtime = *mtime;
}

void read_mode(Reader& reader, Member member, FetchDraft& draft) {
  const auto text = reader.scalar(member.value, "a mode");
  if (!text) return;
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), mode, 8);
  if (error != std::errc() || end != text->data() + text->size() || text->size() < 3 || mode > 0777)
    return reader.error(member.value, fmt::format("{} is no mode", code(*text)),
                        "three octal digits, as in 644 or 0755");
  draft.fetch.saving.edit().mode = mode;
}

void read_fsync(Reader& reader, Member member, FetchDraft& draft) {
  static constexpr std::array<std::string_view, 3> words{"never", "file", "full"};
  if (const auto word = reader.word(member.value, words))
    draft.fetch.saving.edit().fsync = static_cast<Fsync>(*word);
}

void check_fetch_file(Reader& reader, Value fetch, FetchDraft& draft) {
  if (draft.fetch.saving->compressed && draft.headers.contains("accept-encoding"))
    reader.error(fetch,
                 "`compressed` asks for gzip and deflate, and there is a header Accept-Encoding as well",
                 "remove one of them; with the header alone a body is written as it comes");
  if (draft.fetch.saving->checksums && !draft.fetch.output && !draft.content_disposition)
    reader.error(fetch, "`checksums` needs an `output`, by whose name it is listed",
                 "or give the `checksum` itself");
}

}  // namespace gather::job
