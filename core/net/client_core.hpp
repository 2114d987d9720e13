/// What a ClientSession is to its requests and responses, which may outlive it: connections, limits, and the
/// list of what is under way. Only files of core/net include this.
#pragma once

#include "core/net/client.hpp"
#include "core/net/connection_limits.hpp"
#include "core/net/connections.hpp"

#include <set>

namespace gather::net {

class StreamedExchange;

class ClientCore {
 public:
  ClientCore(async::Loop& on, ClientOptions with);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;

  /// Ends what is under way, whose awaits fail, and closes every connection. No-op the second time.
  void close() noexcept;
  bool closed() const noexcept { return closed_; }
  /// Throws ClientConnectionError, for a request to `url`, if it is closed.
  void check_open(const std::string& url) const;

  async::Loop& loop;
  const ClientOptions options;
  Connections connections;
  ConnectionLimits limits;
  std::set<StreamedExchange*> under_way;  // Each enters and leaves by itself.

 private:
  bool closed_ = false;
};

}  // namespace gather::net
