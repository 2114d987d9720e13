/// download: one fetch from request to verified file, and every way in which it can end.
#pragma once

#include "core/net/digest.hpp"
#include "core/net/failure.hpp"
#include "core/net/output_folders.hpp"
#include "core/net/pages.hpp"
#include "core/net/session.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
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

/// What must be true of an answer besides status and checksum. What a function says is why it is not so, a
/// sentence without a final full stop.
struct Expectations {
  std::optional<std::uint64_t> size = {};  ///< Of the body as it is kept, in bytes.
  /// Of the head of an answer with an expected status, before any of its body is taken; `partial` if it holds
  /// only the rest of a body.
  std::function<std::optional<std::string>(const Head& head, bool partial)> head = {};
  /// Of the whole body, of up to `longest_kept_body`. Called on another thread, perhaps after the download
  /// was cancelled, so it owns what it needs.
  std::function<std::optional<std::string>(std::string_view body)> body = {};
};

/// What to fetch and what must be true of it.
struct Download {
  std::string url;
  /// All URLs that have the same bytes, `url` among them; empty if it is the only one. `headers` and the
  /// transport's certificate are for the origin of the first, and go to others only where redirects are
  /// trusted. With a checksum, the part that one of them began is gone on with from another.
  std::vector<std::string> mirrors = {};
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::optional<std::string> body = {};
  std::optional<std::string> output = {};  ///< A path; if relative, to the working directory.
  /// If set, the file has the path that this makes of the head of the expected answer, and `output` names the
  /// part alone, so that it is found again. What it refuses fails the fetch, with its sentence. May be asked
  /// several times, of different heads. A file that is there already is replaced only with
  /// IfExists::overwrite; with `verify` the fetch passes if it has the same bytes.
  std::function<std::expected<std::filesystem::path, std::string>(const Head& head)> path = {};
  std::optional<Checksum> checksum = {};
  std::vector<Part> parts = {};    ///< If any, they are the body.
  std::vector<int> expected = {};  ///< Statuses that are success; empty: any 2xx.
  Expectations expect = {};        ///< `body` is not asked where `take` takes it.
  bool resume = true;              ///< Go on from the part of an earlier attempt, and leave one.
  /// Offer to take it compressed, and write what it is without; see ContentDecoder. Otherwise a body is
  /// written as it comes.
  bool compressed = false;
  IfExists if_exists = IfExists::overwrite;
  std::optional<std::uint64_t> max_size = {};  ///< Of the body as it is written, in bytes.
  bool mtime = false;                          ///< The file's time is the server's Last-Modified.
  std::optional<unsigned> mode = {};           ///< Permissions; otherwise 0666 less the umask.
  Fsync fsync = Fsync::never;
  SharedTransport transport = {};  ///< How it is sent.
  bool tell_headers = false;       ///< Tell the headers of the answer.
  bool tell_sha256 = false;        ///< Without `checksum`: tell the SHA-256 of what came.
  bool tell_of_existing = false;   ///< Tell the digest of a file that was there, too, which is read for it.
  /// Without `output`: takes the expected body in pieces, so that none of it is kept; what it refuses fails
  /// the fetch, with its sentence. A body that is cut short has been taken as far as it came.
  std::function<std::expected<void, std::string>(std::string_view)> take = {};
  /// Lets a small body whose name is new get its file at once, without a part; see OutputFolders. Null: no.
  OutputFolders* folders = nullptr;
  /// If set, the answer is the first of several pages, and the body is one JSON array of the items of all.
  /// Every page is held to `expected` and `expect.head`, the body to the rest. Nothing is resumed.
  std::optional<Pages> pages = {};
  Trail* trail = nullptr;             ///< Told how the requests went, if not null; see Session::request.
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
  std::optional<std::string> digest = {};  ///< Lower-case hex, of Download::algorithm(); of a file that was
                                           ///< there, if that was asked or it was held against a checksum.
  std::string body = {};                   ///< Without `output`; any bytes.
  From from = From::network;
  /// Neither length nor last chunk told where the body ends, only the end of the connection (or, over
  /// HTTP/2, of the stream), and nothing that was expected could prove it whole.
  bool unverified_length = false;
  std::string url = {};                            ///< After redirects; empty if nobody was asked.
  std::uint64_t resumed_from = 0;                  ///< Bytes that were there already.
  std::optional<std::filesystem::path> path = {};  ///< What Download::path said.
  std::shared_ptr<const Headers> headers =
      {};  ///< Null unless Download::tell_headers, and if nobody was asked.
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

/// A whole answer came, and it is not what was expected.
struct NotAsExpected {
  std::string why;  ///< Without a final full stop, inert.
};

/// Something here, not there: a folder that can't be written, a full disk. Trying again won't help.
struct LocalFailure {
  std::string why;  ///< Without a final full stop.
};

using DownloadResult =
    std::variant<Fetched, UnexpectedStatus, Failure, ChecksumMismatch, NotAsExpected, LocalFailure>;

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
