/// From a list of URLs to a job of fetches: which file each body becomes, and that no two are the same.
#pragma once

#include "core/job/model.hpp"
#include "core/job/url_list.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gather::job {

/// The name of the file that `url` is saved as: the last segment of its path, percent-decoded. Query and
/// fragment are no part of it.
///
/// Refused, as a sentence without a final full stop: no segment at all, `.` and `..`, a slash, NUL or control
/// byte that was encoded, a leading dot, more than 255 bytes. A server or a list from a stranger must not
/// choose `.bashrc`.
std::expected<std::string, std::string> name_after(std::string_view url);

/// `output` as a path below a folder, in normal form. Refused, as a sentence: a path that leaves the folder,
/// names no file, or has a part that is too long or holds control bytes.
std::expected<std::string, std::string> path_below(std::string_view output);

/// The file whose part, or the note about it, is written under the name `path`: `x` for `x.part` and
/// `x.part.meta`. Nothing for other names.
std::optional<std::string_view> written_for(std::string_view path);

enum class Bodies : std::uint8_t {
  files,   ///< One each, named by the entry or after its URL.
  named,   ///< One each, named by the entry or by the server.
  output,  ///< Each body is what its task writes to standard output.
};

struct FetchJob {
  Job job;                            ///< One task for each entry, in order; its id is the URL.
  std::vector<std::string> problems;  ///< Sentences with their place; the job is of no use if there are any.
};

/// Makes one task of each entry from `pattern`, with url, output and checksum filled in. Two entries whose
/// files are the same, or one below the other, are a problem that names both.
FetchJob fetch_job(const std::vector<UrlEntry>& entries, const Fetch& pattern, Bodies bodies);

}  // namespace gather::job
