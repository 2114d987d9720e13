/// download: one fetch from request to verified file, and every way in which it can end.
#pragma once

#include "core/net/failure.hpp"
#include "core/net/session.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
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
};

/// A body without `output` is kept in memory up to here.
inline constexpr std::size_t longest_kept_body = 16'000'000;

/// The answer was whole and as expected; with `output`, the file has its name.
struct Fetched {
  int status = 0;
  std::uint64_t bytes = 0;            ///< Of body.
  std::optional<std::string> sha256;  ///< If one was expected.
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
