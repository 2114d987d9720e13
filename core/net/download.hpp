/// download: one fetch from request to verified file, and every way in which it can end.
#pragma once

#include "core/net/failure.hpp"
#include "core/net/session.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gather::net {

/// What to fetch and what must be true of it.
struct Download {
  std::string url;
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::string> body = {};
  std::optional<std::filesystem::path> output = {};  ///< Absolute, or relative to the working directory.
  std::optional<std::string> sha256 = {};            ///< 64 hex digits, lower case.
  std::vector<int> expected = {};                    ///< Statuses that are success; empty: any 2xx.
  bool digest = false;                               ///< Tell the SHA-256, also if none is expected.
  /// Without `output`: takes the expected body in pieces, so that none of it is kept; what it refuses fails
  /// the fetch, with its sentence. A body that is cut short has been taken as far as it came.
  std::function<std::expected<void, std::string>(std::string_view)> take = {};
  std::uint64_t* received = nullptr;  ///< Body bytes are added as they come, if not null; for progress.
};

/// A body without `output` is kept in memory up to here.
inline constexpr std::size_t longest_kept_body = 16'000'000;

/// The answer was whole and as expected; with `output`, the file has its name.
struct Fetched {
  int status = 0;
  std::uint64_t bytes = 0;            ///< Of body.
  std::optional<std::string> sha256;  ///< If one was expected or asked for.
  std::string body;                   ///< Without `output`; any bytes.
};

/// The server answered with a status that was not expected.
struct UnexpectedStatus {
  int status = 0;
  std::string detail;                   ///< First line of the answer's body, inert; may be empty.
  std::optional<Duration> retry_after;  ///< With 429 and 503: what the server asked for, at least 0.
};

struct ChecksumMismatch {
  std::string expected;
  std::string actual;
};

/// Something here, not there: a folder that can't be written, a full disk. Trying again won't help.
struct LocalFailure {
  std::string why;  ///< Without a final full stop.
};

using DownloadResult = std::variant<Fetched, UnexpectedStatus, Failure, ChecksumMismatch, LocalFailure>;

/// Fetches once; retrying is the caller's. Afterwards the file `output` is whole and verified, or it is what
/// it was before. A Failure among the results is never of kind local.
///
/// Cancelling the caller closes the connection and removes the part. Throws gather::Error if libcurl or
/// libcrypto can't be loaded. `download` must outlive the call.
async::Co<DownloadResult> download(Session& session, const Download& download);

}  // namespace gather::net
