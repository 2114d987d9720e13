/// ClientResponse: the answer to a request of an HTTP session, whose body is read when it is asked for.
#pragma once

#include "core/async/task/co.hpp"
#include "core/async/task/generator.hpp"
#include "core/net/headers.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace gather::net {

class StreamedExchange;

/// Status and headers, and a body that comes in at the pace of its reader: no more than
/// ClientOptions::read_bufsize of it, and one piece of libcurl's (100 KB), waits in memory. aiohttp's
/// ClientResponse.
///
/// The body is given as it was sent, content codings and all. Where it is cut short, what came is given
/// first, and then ClientError is thrown. Its connection is in use until the last byte has come, and closed
/// if the response dies or is closed before. Can be moved; the loop must outlive it, the session need not.
class ClientResponse {
 public:
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  /// For ClientSession.
  explicit ClientResponse(std::shared_ptr<StreamedExchange> exchange) noexcept;
  ClientResponse(ClientResponse&&) noexcept = default;
  ClientResponse& operator=(ClientResponse&& other) noexcept;
  ~ClientResponse();

  int status() const noexcept;
  /// What follows the status, such as "Not Found"; as it came, so it may be empty or hold any bytes.
  const std::string& reason() const noexcept;
  const Headers& headers() const noexcept;
  /// Where the answer came from: the URL after redirects, without user and password.
  const std::string& url() const noexcept;
  /// As the head promises it; nothing where the body says itself where it ends.
  std::optional<std::uint64_t> content_length() const noexcept;
  /// "text/html" of "Text/HTML; charset=utf-8"; "application/octet-stream" where there is none.
  std::string content_type() const;

  /// The status is below 400.
  bool ok() const noexcept { return status() < 400; }
  /// Throws ClientResponseError unless ok().
  void raise_for_status() const;

  /// Resumes with the next bytes of the body, `most` at most, as soon as there are any; with nothing at the
  /// end. `while (const auto piece = co_await response.read_some()) …`
  ///
  /// Cancelling the caller loses no byte. Throws ClientError. Requires: most > 0.
  async::Co<std::optional<std::string>> read_some(std::size_t most = all);

  /// The same as a sequence, for `for_each` and the like. The response must live meanwhile.
  async::AsyncGenerator<std::string> chunks(std::size_t most = all);

  /// Resumes with the body, or what read_some() left of it. Another call gives the same again; from an
  /// rvalue, `co_await std::move(response).read()`, the bytes are moved and not kept. Throws ClientError.
  async::Co<std::string> read() &;
  async::Co<std::string> read() &&;
  /// The same, for a body that is text. Its charset is left alone (ours: aiohttp decodes).
  async::Co<std::string> text() & { return read(); }
  async::Co<std::string> text() && { return std::move(*this).read(); }

  /// `Json::parse(text)`, so with `co_await response.json<nlohmann::json>()` its value. Throws what parse
  /// throws, too. Content-Type is not looked at (ours: aiohttp insists on application/json).
  template <class Json>
  async::Co<Json> json() {
    return parsed<Json>(read());
  }

  /// Bytes that have come and wait for a reader.
  std::size_t buffered() const noexcept;
  /// The whole body has been read.
  bool at_eof() const noexcept;

  /// Ends the transfer and closes its connection, unless the body has come whole. Who awaits this response
  /// gets ClientConnectionError. No-op the second time.
  void close() noexcept;

 private:
  template <class Json>
  static async::Co<Json> parsed(async::Co<std::string> body) {
    const std::string text = co_await std::move(body);
    co_return Json::parse(text);
  }

  std::shared_ptr<StreamedExchange> exchange_;  // Shared with the awaits; null when moved from.
};

}  // namespace gather::net
