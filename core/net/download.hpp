/// download: one fetch from request to verified file, and every way in which it can end.
#pragma once

#include "core/net/digest.hpp"
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

/// What to do where `output` is there already.
enum class IfExists : std::uint8_t {
  overwrite,
  verify,  ///< Fetch only if its checksum is wrong, or, where none is given, if the server has another
           ///< version.
  skip,    ///< It is right whatever it holds.
  fail,
};

/// What is forced onto the disk before the download is done.
enum class Fsync : std::uint8_t {
  never,
  file,
  full,  ///< The file, and the folder with its name.
};

/// What to fetch and what must be true of it.
struct Download {
  std::string url;
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::string> body = {};
  std::optional<std::filesystem::path> output = {};  ///< Absolute, or relative to the working directory.
  std::optional<Checksum> checksum = {};
  std::vector<Part> parts = {};    ///< If any, they are the body.
  std::vector<int> expected = {};  ///< Statuses that are success; empty: any 2xx.
  bool resume = true;              ///< Go on from the part of an earlier attempt, and leave one.
  IfExists if_exists = IfExists::overwrite;
  std::optional<std::uint64_t> max_size = {};  ///< Of the body, in bytes.
  bool mtime = false;                          ///< The file's time is the server's Last-Modified.
  std::optional<unsigned> mode = {};           ///< Permissions; otherwise 0666 less the umask.
  Fsync fsync = Fsync::never;
  Transport transport = {};  ///< How it is sent.
  bool tell_sha256 = false;  ///< Without `checksum`: tell the SHA-256 of what came.
  /// Without `output`: takes the expected body in pieces, so that none of it is kept; what it refuses fails
  /// the fetch, with its sentence. A body that is cut short has been taken as far as it came.
  std::function<std::expected<void, std::string>(std::string_view)> take = {};
  std::uint64_t* received = nullptr;  ///< Body bytes are added as they come, if not null; for progress.

  /// Of the digest that is made while the body flows past.
  std::optional<Algorithm> algorithm() const {
    if (checksum) return checksum->algorithm;
    return tell_sha256 ? std::optional(Algorithm::sha256) : std::nullopt;
  }
};

/// A body without `output` is kept in memory up to here.
inline constexpr std::size_t longest_kept_body = 16'000'000;

/// The answer was whole and as expected; with `output`, the file has its name.
struct Fetched {
  enum class From : std::uint8_t {
    network,
    resumed,   ///< The network, from where an earlier attempt had come to.
    cache,     ///< The server said that the file that is there is its latest (304).
    existing,  ///< The file that is there was right, and nobody was asked.
  };

  int status = 0;           ///< 0 if nobody was asked.
  std::uint64_t bytes = 0;  ///< Of body, or of the file that is there; those of earlier attempts included.
  std::optional<std::string>
      digest;        ///< Lower-case hex, of Download::algorithm(); not of a file that was there.
  std::string body;  ///< Without `output`; any bytes.
  From from = From::network;
  std::uint64_t resumed_from = 0;  ///< Bytes that were there already.
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
/// An attempt that ends early, cancelled or not, leaves its part where the rest can be asked for safely (see
/// PartNote) and `resume` is set; else it is removed. The next one, of this run or a later, asks for the rest
/// under If-Range, and what comes is put behind it only if it is the same version's; else it begins anew.
///
/// Cancelling the caller closes the connection. Throws gather::Error if libcurl or libcrypto can't be loaded.
/// `download` must outlive the call.
async::Co<DownloadResult> download(Session& session, const Download& download);

}  // namespace gather::net
