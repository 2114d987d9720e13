/// PartNote: what is known of the version that a part is the beginning of, so that its rest can be asked for
/// later and nothing else is put behind it.
#pragma once

#include "core/net/head.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

/// What ties bytes on disk to one version of one URL.
struct PartNote {
  std::uint64_t source = 0;            ///< source_of(url). The URL itself may hold a token.
  std::string etag;                    ///< As sent, if it is strong; or empty.
  std::string last_modified;           ///< As sent, if it can be relied on; or empty.
  std::optional<std::uint64_t> total;  ///< Bytes of the whole, if known.
  bool mixed = false;  ///< The bytes came from several URLs, so a checksum must tell if they fit.

  /// For If-Range: the entity tag where there is one. Never empty in a note that note_for() or parse_note()
  /// gave.
  const std::string& validator() const noexcept { return etag.empty() ? last_modified : etag; }

  friend bool operator==(const PartNote&, const PartNote&) = default;
};

/// A hash that tells URLs apart; 16 hex digits in text.
std::uint64_t source_of(std::string_view url) noexcept;

/// The note for a body that `head`, with status 200, begins; nothing if its rest could not be asked for
/// safely: without a strong entity tag and without a Last-Modified that is at least 60 s older than Date
/// (later it might name two versions), or with a content coding. Source: RFC 9110, sections 8.8 and 13.1.5.
std::optional<PartNote> note_for(std::string_view url, const Head& head);

/// The same with the one validator that a question for the whole needs: the entity tag alone, where there is
/// one.
std::optional<PartNote> version_for(std::string_view url, const Head& head);

/// A note of this validator alone; nothing if it is none, a strong entity tag or else a Last-Modified, that
/// can be sent back.
std::optional<PartNote> note_of(std::uint64_t source, std::string_view validator);

/// Whether `head`, of an answer to If-Range, speaks of the version noted: an entity tag must be repeated, a
/// date may be left out but not differ.
bool same_version(const PartNote& note, const Head& head);

/// One line each; see cmd/manual/fetch-files.md. The last line tells a whole note from a cut one.
std::string to_text(const PartNote& note);
/// Nothing if `text` is not exactly what to_text() writes.
std::optional<PartNote> parse_note(std::string_view text);

/// From and to a file. Nothing, or false, if it can't be read or written; one that is a link, no plain file,
/// or another user's counts as none. Written readable for the owner alone.
std::optional<PartNote> read_note(const std::filesystem::path& path);
bool write_note(const std::filesystem::path& path, const PartNote& note);

}  // namespace gather::net
