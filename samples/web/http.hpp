/// HTTP/1.1 as far as the sample server needs it: reading requests, writing responses. Knows no paths.
#pragma once

#include "core/async/io/stream.hpp"
#include "core/async/task/co.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace web {

using gather::async::Co;
using gather::async::Stream;

/// Bytes of a request's first line and headers; longer ones get 431.
constexpr std::size_t head_limit = 16 * 1024;
/// Bytes of a request's body; longer ones get 413.
constexpr std::uint64_t body_limit = 16 * 1024 * 1024;

struct Request {
  std::string method;
  std::string target;  ///< As sent: "/echo?x=1".
  std::string version;
  std::vector<std::pair<std::string, std::string>> headers;  ///< In the order sent, without outer blanks.
  std::string body;

  /// The first header of that name, in any case; null if there is none.
  const std::string* header(std::string_view name) const;

  /// Whether the client wants to send another request on this connection.
  bool keep_alive() const;
};

struct Response {
  int status = 200;
  std::string type = "text/plain";
  std::string body{};
  std::optional<std::uint64_t> pattern{};  ///< If set, the body is that many bytes of pattern() instead.
};

/// What is wrong with a request, and the status that says so. The connection can't go on after it.
class BadRequest : public std::runtime_error {
 public:
  BadRequest(int status, const std::string& what) : std::runtime_error(what), status_(status) {}
  int status() const noexcept { return status_; }

 private:
  int status_;
};

/// First line and headers, up to the empty line. Throws BadRequest.
Request parse_head(std::string_view head);

/// The next request with its body; nothing if the client has closed the connection in good order. Throws
/// BadRequest, and IncompleteRead or StreamError if the client goes away in the middle.
Co<std::optional<Request>> read_request(Stream& stream);

/// Writes the whole response; without its body if it answers HEAD. `close` announces that it is the last.
Co<> write_response(Stream& stream, const Response& response, bool head, bool close);

/// `size` bytes from `offset` on of an endless stream that everybody can compute: byte i is i % 251. As 251
/// is prime, a piece that is lost, doubled or swapped is noticed.
std::string pattern(std::uint64_t offset, std::size_t size);

}  // namespace web
