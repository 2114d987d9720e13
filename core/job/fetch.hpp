/// A fetch as plain data: what to ask, where its body goes, and what must be true of it.
#pragma once

#include "core/base/duration.hpp"
#include "core/base/shared.hpp"
#include "core/job/expect.hpp"
#include "core/job/pages.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gather::job {

/// RFC 9110, section 5.6.2: a method, or a header's name.
bool is_token(std::string_view text);

/// Name and value; a list, because order and repetition matter for headers and for precedence.
using NameValue = std::pair<std::string, std::string>;

/// What to do where `output` is there already.
enum class IfExists : std::uint8_t { verify, skip, overwrite, fail };

/// What is forced onto the disk before the file has its name.
enum class Fsync : std::uint8_t { never, file, full };

enum class HttpVersion : std::uint8_t { automatic, one, two };

/// The digest that a body must have.
struct Checksum {
  std::string algorithm;  ///< sha256, sha512, sha384, sha1, md5, blake2b.
  std::string hex;        ///< Lower case, of the algorithm's length.

  friend bool operator==(const Checksum&, const Checksum&) = default;
};

/// A secret that the job file only points at.
struct SecretSource {
  enum class Kind : std::uint8_t { environment, file, given };
  Kind kind = Kind::environment;
  std::string name;  ///< Of the variable, or the path; what a template has given itself.
};

struct BasicAuth {
  std::string user;
  SecretSource password;
};
struct BearerAuth {
  SecretSource token;
};
using Auth = std::variant<std::monostate, BasicAuth, BearerAuth>;

/// One part of a multipart/form-data body: a value, or a file that is read while it is sent.
struct FormPart {
  std::string name;
  std::string value;                          ///< Without `file`.
  std::optional<std::filesystem::path> file;  ///< Relative to Job::directory.
  std::string type;                           ///< Content-Type; may be empty.
};

/// A client certificate, in PEM.
struct ClientCertificate {
  std::filesystem::path certificate;
  std::filesystem::path key;  ///< Empty: in the same file.
};

/// How a request is sent, whatever it asks for. Most fetches of a job have the same.
struct Transport {
  std::optional<Duration> connect_timeout;
  std::optional<Duration> stall_timeout;
  std::optional<std::uint64_t> limit_rate;  ///< Bytes per second.
  int redirects = 10;
  bool trust_redirects = false;  ///< Headers and auth go to other origins, too.
  HttpVersion http = HttpVersion::automatic;
  std::optional<std::string> proxy;
  bool netrc = false;
  std::optional<std::filesystem::path> cacert;
  std::shared_ptr<const ClientCertificate> cert;  ///< Null: none.
  bool insecure = false;
  std::optional<std::filesystem::path> unix_socket;
  std::vector<std::string> resolve;  ///< host:port:address, as curl has it.
  bool public_only = false;          ///< Only public addresses are connected to.
};

/// What is asked besides the URL. Most fetches of a job have the same.
struct Request {
  std::string method = "GET";
  std::vector<NameValue> headers;
  std::optional<std::string> body;  ///< Sent as it stands; `json:` and `form:` are serialised into it.
  std::vector<FormPart> files;      ///< If any, the body is multipart/form-data.
  Auth auth;
};

/// What becomes of the answer's body. Most fetches of a job have the same.
struct Saving {
  /// In place of Fetch::output: the folder of a file that the server names. Relative to Job::directory.
  std::optional<std::filesystem::path> named_in;
  std::optional<std::string> checksums;  ///< A list in sha256sum's format: a path, or a URL.
  IfExists if_exists = IfExists::verify;
  bool resume = true;
  bool compressed = false;                ///< Offer to take the body compressed; it is written without.
  bool body_as_output = false;            ///< Without an output: the body is what the task writes to stdout.
  bool tell_sha256 = false;               ///< Also if no checksum is expected.
  bool tell_of_existing = false;          ///< Also of a file that was there already.
  std::optional<std::uint64_t> max_size;  ///< Of the body as it is written, in bytes.
  bool mtime = false;                     ///< The file gets the server's Last-Modified.
  std::optional<unsigned> mode;
  Fsync fsync = Fsync::never;
};

/// One HTTP request and its answer. Without `output` and `named_in` nothing is written and the body is the
/// task's result. What only some fetches have, or all have alike, is elsewhere: a job may have a million.
struct Fetch {
  std::string url;                    ///< http or https, checked.
  std::vector<std::string> mirrors;   ///< Other URLs of the same bytes, asked in this order after `url`.
  std::optional<std::string> output;  ///< A path in normal form, relative to Job::directory.
  std::optional<Checksum> checksum;

  Shared<Request> request;
  Shared<Saving> saving;
  Shared<Transport> transport;
  std::shared_ptr<const Expect> expect;      ///< Null: what is usual.
  std::shared_ptr<const Paginate> paginate;  ///< The answer is the first of several pages; else null.

  /// `url` for 0, then the mirrors.
  const std::string& nth_url(std::size_t n) const { return n == 0 ? url : mirrors[n - 1]; }
};

}  // namespace gather::job
