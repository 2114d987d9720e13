/// Where a socket listens or is connected: host and port, or the path of a Unix socket. Looks nothing up.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gather::async {

/// A socket address, as a value.
class Address {
 public:
  /// None, such as that of a socket that is closed.
  Address() = default;
  /// Requires: `length` bytes are there, and fit into a sockaddr_storage.
  Address(const sockaddr* address, socklen_t length) noexcept;

  /// Of "127.0.0.1", "::1", "fe80::1%eth0"; none for a name.
  static std::optional<Address> numeric(const std::string& host, std::uint16_t port);
  /// Of a Unix socket; a path that begins with a NUL is a name in Linux's abstract namespace. Throws
  /// StreamError ENAMETOOLONG above the kernel's 107 bytes, and ENOENT for an empty path.
  static Address unix_path(std::string_view path);

  /// AF_INET, AF_INET6 or AF_UNIX; AF_UNSPEC if it is none.
  int family() const noexcept { return storage_.ss_family; }
  /// The numeric host, empty where there is none.
  std::string host() const;
  /// 0 where there is none.
  std::uint16_t port() const noexcept;
  /// Of a Unix socket; empty for one without a name, such as a client's.
  std::string path() const;
  /// "127.0.0.1:80", "[::1]:80", "/run/x.sock", "@abstract".
  std::string text() const;

  Address with_port(std::uint16_t port) const noexcept;

  /// For system calls.
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return length_; }

  friend bool operator==(const Address& one, const Address& other) noexcept;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

/// "host:80", "[::1]:80".
std::string endpoint_text(std::string_view host, std::uint16_t port);

/// Of the socket's own end, and of the other; none if the descriptor has none.
Address local_address(int descriptor) noexcept;
Address remote_address(int descriptor) noexcept;

}  // namespace gather::async
