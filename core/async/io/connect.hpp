/// Making connections: asyncio's open_connection and open_unix_connection.
#pragma once

#include "core/async/io/stream.hpp"
#include "core/async/task/co.hpp"
#include "core/base/duration.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace gather::async {

/// See open_connection.
struct ConnectionOptions {
  std::size_t limit = default_limit;               ///< Stream::set_limit.
  int family = AF_UNSPEC;                          ///< AF_INET or AF_INET6: addresses of that kind alone.
  std::optional<Duration> happy_eyeballs_delay{};  ///< asyncio and RFC 8305 recommend 250 ms.
  std::optional<Address> local_addr{};             ///< What to bind our own end to; port 0 is any.
};

/// Connects to a name or a numeric address by TCP, and resumes with the connection. A name is looked up by
/// getaddrinfo (dns.hpp), and its addresses are tried in turn. With a happy_eyeballs_delay they alternate
/// between IPv6 and IPv4, and the next one is tried beside the others once that time has passed; the first
/// connection wins.
///
/// Throws DnsError for a name that can't be looked up, and ConnectError, which lists every attempt. A cancel
/// gives all attempts up.
Co<Stream> open_connection(std::string host, std::uint16_t port, ConnectionOptions options = {});

/// Connects to a Unix socket; a path that begins with a NUL is a name in the abstract namespace. Never
/// suspends. Throws StreamError; its code is EAGAIN when the server's backlog is full.
Co<Stream> open_unix_connection(std::string path, std::size_t limit = default_limit);

}  // namespace gather::async
