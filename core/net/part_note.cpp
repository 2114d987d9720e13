#include "core/net/part_note.hpp"

#include "core/base/hash.hpp"
#include "core/net/http_date.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>

namespace gather::net {
namespace {

constexpr std::string_view first_line = "gather part 1\n";
constexpr std::string_view last_line = "end\n";
constexpr std::size_t longest_note = 8192;
constexpr std::size_t longest_validator = 2048;
constexpr std::time_t settled_after = 60;  // Seconds: RFC 9110, section 8.8.2.2.

bool can_be_noted(std::string_view value) {
  return !value.empty() && value.size() <= longest_validator &&
         std::ranges::none_of(value, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_strong(std::string_view etag) {
  return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"' && can_be_noted(etag);
}

bool can_have_a_note(const Head& head) {
  return head.status == 200 && same_name(head.headers.get("content-encoding", "identity"), "identity");
}

/// Takes `label value\n` off the beginning of `text`.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view label) {
  if (!text.starts_with(label) || text.substr(label.size(), 1) != " ") return std::nullopt;
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(label.size() + 1, end - label.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

}  // namespace

std::uint64_t source_of(std::string_view url) noexcept { return stable_hash(url); }

std::optional<PartNote> version_for(std::string_view url, const Head& head) {
  if (!can_have_a_note(head)) return std::nullopt;
  if (const auto etag = head.headers.get("etag"); etag && is_strong(*etag))
    return note_of(source_of(url), *etag);
  return note_for(url, head);
}

std::optional<PartNote> note_for(std::string_view url, const Head& head) {
  if (!can_have_a_note(head)) return std::nullopt;
  PartNote note;
  note.source = source_of(url);
  if (const auto etag = head.headers.get("etag"); etag && is_strong(*etag)) note.etag = *etag;
  const auto changed = head.headers.get("last-modified");
  const auto now = head.headers.get("date");
  if (changed && now && can_be_noted(*changed)) {
    const auto then = http_date(*changed);
    const auto here = http_date(*now);
    if (then && here && *here - *then >= settled_after) note.last_modified = *changed;
  }
  if (note.validator().empty()) return std::nullopt;
  if (!head.chunked) note.total = head.length;
  return note;
}

std::optional<PartNote> note_of(std::uint64_t source, std::string_view validator) {
  PartNote note;
  note.source = source;
  if (is_strong(validator))
    note.etag = validator;
  else if (can_be_noted(validator) && http_date(validator))
    note.last_modified = validator;
  else
    return std::nullopt;
  return note;
}

bool same_version(const PartNote& note, const Head& head) {
  if (!note.etag.empty() && head.headers.get("etag", "") != note.etag) return false;
  return note.last_modified.empty() ||
         head.headers.get("last-modified", note.last_modified) == note.last_modified;
}

std::string to_text(const PartNote& note) {
  std::string text;
  text.reserve(first_line.size() + note.etag.size() + note.last_modified.size() + 80);
  const auto add = [&](std::string_view label, std::string_view value) {
    text.append(label).append(" ").append(value).append("\n");
  };
  text.append(first_line);
  add("source", fmt::format("{:016x}", note.source));
  if (!note.etag.empty()) add("etag", note.etag);
  if (!note.last_modified.empty()) add("last-modified", note.last_modified);
  if (note.total) add("total", std::to_string(*note.total));
  if (note.mixed) add("mixed", "yes");
  text.append(last_line);
  return text;
}

std::optional<PartNote> parse_note(std::string_view text) {
  if (!text.starts_with(first_line)) return std::nullopt;
  text.remove_prefix(first_line.size());
  PartNote note;
  const auto source = take_line(text, "source");
  if (!source || source->size() != 16 ||
      source->find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  std::from_chars(source->data(), source->data() + source->size(), note.source, 16);
  if (const auto etag = take_line(text, "etag")) {
    if (!is_strong(*etag)) return std::nullopt;
    note.etag = *etag;
  }
  if (const auto changed = take_line(text, "last-modified")) {
    if (!can_be_noted(*changed)) return std::nullopt;
    note.last_modified = *changed;
  }
  if (const auto total = take_line(text, "total")) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(total->data(), total->data() + total->size(), value);
    if (error != std::errc() || end != total->data() + total->size() ||
        (total->size() > 1 && total->front() == '0'))
      return std::nullopt;
    note.total = value;
  }
  if (const auto mixed = take_line(text, "mixed")) {
    if (*mixed != "yes") return std::nullopt;
    note.mixed = true;
  }
  if (text != last_line || note.validator().empty()) return std::nullopt;
  return note;
}

std::optional<PartNote> read_note(const std::filesystem::path& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return std::nullopt;
  struct stat found{};
  std::array<char, longest_note> buffer;
  ssize_t count = -1;
  if (fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == geteuid())
    count = read(descriptor, buffer.data(), buffer.size());
  close(descriptor);
  if (count <= 0) return std::nullopt;
  return parse_note({buffer.data(), static_cast<std::size_t>(count)});
}

bool write_note(const std::filesystem::path& path, const PartNote& note) {
  const std::string text = to_text(note);
  unlink(path.c_str());  // Whatever it was, nothing is written through it.
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool written = write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return close(descriptor) == 0 && written;
}

}  // namespace gather::net
