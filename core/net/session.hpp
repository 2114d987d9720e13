/// Session: HTTP requests over connections that are kept and used again.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/net/connections.hpp"
#include "core/net/request.hpp"

#include <chrono>
#include <cstddef>
#include <expected>

namespace gather::net {

/// The connections of one run. Any number of requests go on at once: who limits them counts before he asks
/// (core/run's slots). HTTP/1.1, TLS 1.2 or later; proxies are taken from the environment as curl does.
///
/// Loads libcurl with the first request, so a session costs nothing until then. The loop must outlive it, and
/// it every request on it.
class Session {
 public:
  struct Options {
    Duration connect_timeout = std::chrono::seconds(10);  ///< Name, connection and TLS together.
    Duration stall_timeout = std::chrono::seconds(30);    ///< Longest time without a byte.
    std::size_t idle_connections = 256;                   ///< Kept for later, at least.
  };

  explicit Session(async::Loop& loop);
  Session(async::Loop& loop, Options options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Resumes the caller when the answer's body has gone to `sink` whole, whatever its status, or with why it
  /// could not. Cancelling the caller closes the connection at once.
  ///
  /// `request` and `sink` must outlive the call. Throws gather::Error if libcurl can't be loaded, and what
  /// the sink throws.
  async::Co<std::expected<Answer, Failure>> request(const Request& request, BodySink& sink);

  /// Forgets connections, TLS sessions and looked-up names, so that what follows starts as the first request
  /// did. Requires: no request is under way.
  void close_connections() noexcept;

 private:
  Options options_;
  Connections connections_;
};

}  // namespace gather::net
