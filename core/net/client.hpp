/// ClientSession: HTTP for programs, aiohttp's client in C++. Requests over kept connections, limits per
/// host, bodies that stream.
///
///     net::ClientSession session(loop);
///     auto response = co_await session.get("https://example.org/");
///     response.raise_for_status();
///     std::string page = co_await response.text();
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/net/client_error.hpp"
#include "core/net/client_request.hpp"
#include "core/net/client_response.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gather::net {

class ClientCore;

/// What all requests of a session have in common.
struct ClientOptions {
  std::size_t limit = 100;         ///< Connections in use at once; 0: no limit.
  std::size_t limit_per_host = 0;  ///< The same per scheme, host and port.
  ClientTimeout timeout = {};
  Headers headers = {};                ///< For every request.
  std::optional<BasicAuth> auth = {};  ///< For every request: mind to whom they go.
  std::string base_url = {};           ///< What a URL that is not absolute is resolved against.
  bool raise_for_status = false;  ///< Every request throws ClientResponseError for a status of 400 or above.
  std::size_t read_bufsize =
      65536;  ///< Of each body so many bytes wait for their reader before the server must.
};

/// A pool of connections and the requests on them: HTTP/1.1, TLS 1.2 or later with the system's certificates,
/// proxies from the environment as curl has them. Any number of requests may be made at once; those beyond
/// the limits wait, first come, first served.
///
/// Left out, since nothing of it is needed here: cookies (send and read the headers), decoding of compressed
/// bodies (none is asked for), HTTP/2, web sockets, multipart forms.
///
/// Loads libcurl with the first request, so a session costs nothing until then. The loop must outlive it.
/// Awaits resume on the loop.
class ClientSession {
 public:
  explicit ClientSession(async::Loop& loop, ClientOptions options = {});
  /// On the running loop. Throws async::InvalidState if there is none.
  explicit ClientSession(ClientOptions options = {});
  /// close()s.
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  /// Resumes when the head of the answer has come, whatever its status; the body is read from the response.
  /// Redirects are followed as browsers do it, from http to https but not back, and the headers stay with the
  /// origin of `url`.
  ///
  /// Throws ClientError, std::invalid_argument for a method or header that is none, and gather::Error if
  /// libcurl can't be loaded. Cancelling the caller closes the connection at once. The arguments are kept as
  /// long as they are needed, so that it can be spawned.
  async::Co<ClientResponse> request(std::string method, std::string url, RequestOptions options = {});

  async::Co<ClientResponse> get(std::string url, RequestOptions options = {});
  async::Co<ClientResponse> head(std::string url, RequestOptions options = {});
  async::Co<ClientResponse> options(std::string url, RequestOptions options = {});
  async::Co<ClientResponse> post(std::string url, RequestOptions options = {});
  async::Co<ClientResponse> put(std::string url, RequestOptions options = {});
  async::Co<ClientResponse> patch(std::string url, RequestOptions options = {});
  async::Co<ClientResponse> delete_(std::string url, RequestOptions options = {});

  /// Closes every connection. Requests under way and bodies that are being read fail with
  /// ClientConnectionError, as later requests do. No-op the second time.
  void close() noexcept;
  bool closed() const noexcept;

 private:
  std::shared_ptr<ClientCore> core_;  // Shared with what is under way.
};

}  // namespace gather::net
