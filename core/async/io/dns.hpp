/// Looking names up: asyncio's loop.getaddrinfo and getnameinfo, on libuv's threads.
///
/// At most two of these run at once per loop, first come, first served; libuv has four threads for the whole
/// process, which files need too, and a name server that does not answer holds one for half a minute. Those
/// who wait for their turn are no thread's business and can be cancelled freely.
#pragma once

#include "core/async/io/address.hpp"
#include "core/async/task/co.hpp"

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace gather::async {

class Loop;

/// A name could not be looked up: "can't look up nowhere.invalid: Name or service not known".
class DnsError : public std::runtime_error {
 public:
  /// `code` is one of netdb.h's EAI_ values.
  DnsError(std::string_view what, int code);

  /// EAI_NONAME: there is no such name; EAI_AGAIN: no name server answered, and it may work later.
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// What to look for, as in getaddrinfo(3); 0 is anything.
struct LookupOptions {
  int family = AF_UNSPEC;
  int type = 0;
  int protocol = 0;
  int flags = 0;
};

/// One way to reach a host.
struct AddressInfo {
  int family = 0;
  int type = 0;
  int protocol = 0;
  std::string canonical_name{};  ///< Of the first one alone, and only with AI_CANONNAME.
  Address address{};
};

/// Resumes with the addresses of `host`, in the system's order, never none. An empty host is this machine:
/// every interface with AI_PASSIVE, its loopback interface without. Numeric addresses need no thread, and
/// never suspend.
///
/// Throws DnsError. A cancelled caller leaves at once; a request that a thread has begun lives on by itself,
/// in its place among the two, until that is done. Closing the loop waits for it.
Co<std::vector<AddressInfo>> getaddrinfo(std::string host, std::uint16_t port, LookupOptions options = {});

/// See getnameinfo.
struct NameInfo {
  std::string host;
  std::string service;
};

/// Resumes with the names of an address and its port. `flags` are getnameinfo(3)'s; with both NI_NUMERICHOST
/// and NI_NUMERICSERV it never suspends. Otherwise as getaddrinfo.
Co<NameInfo> getnameinfo(Address address, int flags = 0);

/// How many lookups of this loop may run at once; those that have begun or wait already don't count.
/// Requires: not 0.
void set_max_lookups(Loop& loop, std::size_t count);

}  // namespace gather::async
