/// What to ask for with an HTTP session: bodies, options of one request, limits of time. Plain data.
#pragma once

#include "core/async/task/co.hpp"
#include "core/base/duration.hpp"
#include "core/net/headers.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gather::net {

/// Names and values, of a query or a form; percent-encoded on their way out.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// How long to wait; without a value, for ever. aiohttp's ClientTimeout, with its defaults.
struct ClientTimeout {
  /// From the call until the end of the body, waiting for a connection and redirects included. It runs while
  /// nobody reads, too.
  std::optional<Duration> total = std::chrono::minutes(5);
  /// For a connection: leave by the limits of the session, and sock_connect.
  std::optional<Duration> connect = {};
  std::optional<Duration> sock_connect = std::chrono::seconds(30);  ///< Name, connection and TLS together.
  /// The longest time without a byte from the server, or to it. Does not run while the body waits for its
  /// reader.
  std::optional<Duration> sock_read = {};
};

/// User and password as plain text, for `Authorization: Basic`.
struct BasicAuth {
  std::string user;
  std::string password;
};

/// Gives a body piece by piece, each when the one before is out; nothing is the end. It is called and awaited
/// in the task that makes the request.
using BodySource = std::move_only_function<async::Co<std::optional<std::string>>()>;

/// The body of a request, and the Content-Type that goes with it unless the request's headers name one.
class RequestBody {
 public:
  RequestBody() = default;  ///< None.
  /// Bytes, sent as they stand, without a Content-Type.
  RequestBody(std::string bytes) : bytes_(std::move(bytes)) {}
  RequestBody(std::string_view bytes) : bytes_(bytes) {}
  RequestBody(const char* text) : bytes_(text) {}
  RequestBody(std::string bytes, std::string content_type)
      : bytes_(std::move(bytes)), content_type_(std::move(content_type)) {}
  /// So many bytes in all; without a length it goes out in chunks.
  RequestBody(BodySource source, std::optional<std::uint64_t> length)
      : source_(std::move(source)), length_(length) {}

  std::optional<std::string>& bytes() noexcept { return bytes_; }
  const std::string& content_type() const noexcept { return content_type_; }
  BodySource& source() noexcept { return source_; }
  std::optional<std::uint64_t> length() const noexcept { return length_; }

 private:
  std::optional<std::string> bytes_;
  std::string content_type_;
  BodySource source_;
  std::optional<std::uint64_t> length_;
};

/// JSON text, as application/json: `json_body(document.dump())`.
RequestBody json_body(std::string text);
/// Fields of a form, as application/x-www-form-urlencoded.
RequestBody form_body(const Fields& fields);
/// A body that is made while it is sent. It can be sent once only: a redirect that keeps the body fails, and
/// the request gets a connection of its own. The answer is handed over when the whole body is out, or an
/// answer of 300 or above has come before. A source that makes more or less than `length` is a
/// std::length_error.
RequestBody stream_body(BodySource source, std::optional<std::uint64_t> length = std::nullopt);

/// What one request has beside method and URL.
struct RequestOptions {
  /// In place of the session's of the same name. Sent to the origin of the URL only, not to where it
  /// redirects; Content-Type goes where the body goes.
  Headers headers = {};
  Fields query = {};  ///< Added to the URL's own.
  RequestBody body = {};
  std::optional<ClientTimeout> timeout = {};  ///< Instead of the session's, as a whole.
  std::optional<BasicAuth> auth = {};         ///< Instead of the session's, and of what the URL names.
  std::optional<bool> allow_redirects = {};   ///< Unless it says so, all methods but HEAD follow them.
  int max_redirects = 10;
};

}  // namespace gather::net
