/// Session: HTTP requests over connections that are kept and used again.
#pragma once

#include "core/async/loop/loop.hpp"
#include "core/net/connections.hpp"
#include "core/net/libraries.hpp"
#include "core/net/request.hpp"
#include "core/net/trail.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace gather::net {

class Throttle;

/// The connections of one run. Any number of requests go on at once: who limits them counts before he asks
/// (core/run's slots). TLS 1.2 or later; proxies are taken from the environment as curl does, unless a
/// request names one. Requests that differ in connection_key() never share a connection.
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
  ~Session();

  /// Resumes the caller when the answer's body has gone to `sink` whole, whatever its status, or with why it
  /// could not. Cancelling the caller closes the connection at once.
  ///
  /// `request` and `sink` must outlive the call, and `trail`, which is told how it went if it is not null,
  /// also by a request that fails or is cancelled; phases are added to those it has. Throws gather::Error if
  /// libcurl can't be loaded, and what the sink throws.
  async::Co<std::expected<Answer, Failure>> request(const Request& request, BodySink& sink,
                                                    Trail* trail = nullptr);

  /// Loads libraries, off the loop. Resumes at once when they are there. Throws gather::Error.
  async::Co<> load(Libraries needed);

  /// So many bytes of body per second may come, in all requests that begin from now on together; at least 1.
  /// Over HTTP/2 what a server sends meanwhile is held in memory, up to 32 MB for each request.
  void limit_rate(std::uint64_t bytes_per_second);

  /// Forgets connections, TLS sessions and looked-up names, so that what follows starts as the first request
  /// did. Requires: no request is under way.
  void close_connections() noexcept;

 private:
  class Lease;
  /// Connections for requests with one connection_key.
  struct Separate {
    std::unique_ptr<Connections> connections;
    std::size_t users = 0;
    std::uint64_t last_use = 0;
  };

  void make_room();
  /// HTTP/1.1 for a host of both kinds, else what it asks for.
  HttpVersion version_for(const Request& request) const;

  async::Loop& loop_;
  Options options_;
  std::unique_ptr<Throttle> throttle_;        // Null: any rate.
  Connections connections_;                   // For ordinary requests; and whom all trust.
  std::map<std::string, Separate> separate_;  // By connection_key.
  std::uint64_t uses_ = 0;
  std::set<std::string, std::less<>> of_both_kinds_;  // Origins of servers with and without HTTP/2.
};

}  // namespace gather::net
