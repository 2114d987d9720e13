/// A job file as read, before anyone has looked inside.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gather::job {

enum class Format : std::uint8_t { yaml, json };

/// The most that is read. Offsets are 32 bits wide, and a job of a million tasks has a tenth of it.
inline constexpr std::size_t largest_source = 256'000'000;

struct Source {
  std::string name;  ///< As messages show it: the path as given, or `<stdin>`.
  std::string text;  ///< As read, unchecked.
  Format format = Format::yaml;
  std::filesystem::path directory = ".";  ///< The folder of the file; for stdin the current one.
};

/// Reads `file`, or standard input for `-`. `.json` is JSON, `.yaml` and `.yml` are YAML; anything else,
/// stdin included, is JSON if it begins with `{` or `[` after blanks.
///
/// `what` is what messages call it. Throws Error(usage) for a folder, a file that can't be read, and one
/// above `largest_source` (endless ones too: no more than that is read).
Source read_source(const std::filesystem::path& file, std::string_view what = "job file");

/// The text without a UTF-8 byte order mark; positions count in this.
std::string_view body(const Source& source);

}  // namespace gather::job
